/**
 * A disk that is full while an image comes in (S02): one clear error, nothing of the image is left, and with room the same command works.
 * The home is a tmpfs. Its limit on inodes ends the room at any file that is made, its limit on bytes at any page that is written.
 */
import { readdirSync, statfsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildImage, writeForm } from '../fixtures/build/image.ts';
import { builtFixture, busyboxLayer, canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { file } from '../fixtures/build/tar.ts';
import { canShapeHosts, testHost, type CommandResult, type TestHost } from '../host/host.ts';
import { canRunRegistry, startRegistry, type Registry } from '../host/registry.ts';
import { chance, SEED } from './chance.ts';
import { emptied, expectNoMore, expectWhole } from './images-kept.ts';
import { queryStore } from './remains.ts';

const TIMEOUT_MS = 300_000;
const FULL = /^Error: .*(disk is full|no space left on device).*\nFree some space/;
const HOME_MIB = 400;
const INODES = 100_000;

describe.skipIf(!canShapeHosts || !canMakeImages || !canRunRegistry)('a disk that fills up', () => {
  let host: TestHost;
  let other: TestHost;
  let registry: Registry;

  beforeAll(async () => {
    host = await testHost({ home: { sizeMib: HOME_MIB } });
    other = await testHost();
    registry = await startRegistry(other);
    await pushFixture(await builtFixture('layered'), registry, 'team/layered', '1');
    await host.run(['tar', '-C', '/usr/share', '-cf', '/tmp/root.tar', 'common-licenses']);
    await limit(`nr_inodes=${INODES}`);
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  const limit = async (option: string): Promise<void> => {
    const { stderr, exitCode } = await host.asRoot(['mount', '-o', `remount,${option}`, host.user.home]);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
  };
  const used = (): { readonly inodes: number; readonly bytes: number } => {
    const { files, ffree, blocks, bfree, bsize } = statfsSync(host.path(host.user.home));
    return { inodes: files - ffree, bytes: (blocks - bfree) * bsize };
  };
  const rows = (): number => queryStore(host, 'SELECT id FROM images').length;

  /** Returns whether it failed; then it must have done so well. */
  const expectFailedWell = ({ stdout, stderr, exitCode }: CommandResult, before: number): boolean => {
    if (exitCode === 0) return false;
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: '', stderr: expect.stringMatching(FULL), exitCode: 125 });
    expectWhole(host);
    expect(rows()).toBe(before);
    expect(readdirSync(host.path(`${host.store}/tmp`))).toEqual([]);
    return true;
  };

  const loading = async (form: 'docker-archive' | 'oci'): Promise<readonly string[]> => {
    return ['load', '--quiet', '--input', host.fixture(await fixturePath('layered', form))];
  };
  const COMMANDS: Readonly<Record<string, () => Promise<readonly string[]>>> = {
    pull: async () => ['pull', '--quiet', '--tls-verify=false', `${registry.name}/team/layered:1`],
    'load of an archive': () => loading('docker-archive'),
    'load from stdin': async () => ['load', '--quiet'],
    'load of a directory': () => loading('oci'),
    import: async () => ['import', '--quiet', '/tmp/root.tar', 'imported'],
  };

  test.each(Object.keys(COMMANDS))(
    '%s: wherever the inodes end',
    async (title) => {
      const argv = await COMMANDS[title]!();
      const options = title.endsWith('stdin') ? { input: await readFile(await fixturePath('layered')) } : {};
      const random = chance(title);
      // The first makes directories that stay.
      await host.succeed(argv, options);
      await emptied(host);
      const before = used().inodes;
      await host.succeed(argv, options);
      const need = used().inodes - before;
      const last = Array.from({ length: 4 }, (_, index) => need - 3 + index);
      const levels = [0, 1, 4, random() * need, ...last].map((level) => Math.max(0, Math.round(level)));
      let failures = 0;
      for (const level of levels) {
        await emptied(host);
        await limit(`nr_inodes=${used().inodes + level}`);
        const result = await host.lichen(argv, options);
        try {
          failures += expectFailedWell(result, 0) ? 1 : 0;
        } catch (error) {
          throw new Error(`LICHEN_FAULT_SEED=${SEED}, ${level} of ${need} inodes: ${(error as Error).message}`, { cause: error });
        } finally {
          await limit(`nr_inodes=${INODES}`);
        }
        await host.succeed(argv, options);
      }
      expect(failures).toBeGreaterThan(levels.length / 2);
      await expectNoMore(host);
      await emptied(host);
    },
    TIMEOUT_MS,
  );

  test('wherever the room for documents and rows ends: the layers are there already', { timeout: TIMEOUT_MS }, async () => {
    const layers = [await busyboxLayer()];
    const built = await buildImage({ reference: 'localhost/twin:latest', layers, config: { Cmd: ['twin'] } }, host.path('/tmp/twin'));
    await writeForm(built, 'docker-archive', host.path('/tmp/twin.tar'));
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    const argv = ['load', '--quiet', '--input', '/tmp/twin.tar'];
    let failures = 0;
    for (let leftKib = 0; leftKib <= 48; leftKib += 4) {
      await limit(`size=${used().bytes + leftKib * 1024}`);
      const result = await host.lichen(argv);
      try {
        failures += expectFailedWell(result, 1) ? 1 : 0;
      } finally {
        await limit(`size=${HOME_MIB}m`);
      }
      await host.succeed(argv);
      await host.succeed(['rmi', 'localhost/twin']);
    }
    expect(failures).toBeGreaterThan(0);
    await expectNoMore(host);
    await emptied(host);
  });

  test.each(['docker-archive', 'oci-archive'] as const)('%s: layers that fit one by one and not together', async (form) => {
    const layers = ['one', 'two', 'three'].map((name) => [file(name, Buffer.alloc(40 * 2 ** 20, name))]);
    const built = await buildImage({ reference: 'localhost/wide:latest', layers, config: {} }, host.path(`/tmp/${form}`));
    await writeForm(built, form, host.path('/tmp/wide.tar'));
    const argv = ['load', '--quiet', '--input', '/tmp/wide.tar'];
    await limit(`size=${used().bytes + 100 * 2 ** 20}`);
    const result = await host.lichen(argv);
    expect(expectFailedWell(result, 0)).toBe(true);
    await limit(`size=${HOME_MIB}m`);
    await host.succeed(argv);
    await expectNoMore(host);
    await emptied(host);
  });
});
