/** Damage to the store (hostile.md S05, S06): each damaged object is named, images are mended one by one, and nothing else is touched. */
import { existsSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import type { TestHost } from '../host/host.ts';
import { loadedHost, removeNow } from '../host/loaded.ts';
import { killMany } from './killing.ts';
import { canRunRegistry, startRegistry } from '../host/registry.ts';

const hex = (digest: string): string => digest.slice('sha256:'.length);

describe.skipIf(!canMakeImages || !canRunRegistry)('system check', () => {
  let host: TestHost;
  let pulled: string;
  beforeAll(async () => {
    // `layered` and `configured` come from a registry and share the layer of busybox, which stands for no registry.
    host = await loadedHost(['busybox']);
    const registry = await startRegistry(host);
    pulled = `${registry.name}/team/layered:1`;
    await pushFixture(await builtFixture('layered'), registry, 'team/layered', '1');
    await pushFixture(await builtFixture('configured'), registry, 'team/configured', '1');
    await host.succeed(['pull', '-q', pulled]);
    await host.succeed(['pull', '-q', `${registry.name}/team/configured:1`]);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  const store = (...parts: string[]): string => host.path(join(host.store, ...parts));
  const layer = async (place: number): Promise<string> => hex((await builtFixture('layered')).diffIds[place]!);
  const id = async (name: 'busybox' | 'layered' | 'configured'): Promise<string> => hex((await builtFixture(name)).config.digest);

  function flipByte(path: string, at = 0): void {
    const bytes = readFileSync(path);
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(path, bytes);
  }

  const clean = { stdout: '', stderr: '', exitCode: 0 };
  const check = (...flags: string[]) => host.lichen(['system', 'check', ...flags]);

  /** Finds it (unless `--quick` may not), mends it, and finds nothing more. */
  async function expectMended(damaged: readonly string[], from: RegExp): Promise<void> {
    const found = await check();
    expect({ exitCode: found.exitCode, stderr: found.stderr }).toEqual({
      exitCode: 125,
      stderr: 'Error: damage detected in local storage\nMend it with: lichen system check --repair\n',
    });
    const named = [...found.stdout.matchAll(/^Damaged (.*):$/gm)].map((match) => match[1]!);
    expect(named).toEqual(damaged);
    const mended = await check('--repair');
    expect(mended.stdout).toMatch(from);
    expect(mended.exitCode).toBe(0);
    expect(await check()).toMatchObject(clean);
  }

  test('a sound store is no news', async () => {
    expect(await check()).toMatchObject(clean);
    expect(await check('--quick')).toMatchObject(clean);
  });

  test('S06: one byte of a file in a stored layer: found by reading, mended by pulling that layer again', async () => {
    const top = await layer(3);
    flipByte(store('layers', top, 'diff/odd/owned'));
    expect(await check('--quick')).toMatchObject(clean);
    await expectMended(
      [`layer ${top}`, `image ${await id('layered')}`],
      /^Mended image .*team\/layered:1\) from docker:\/\/127\.0\.0\.1:\d+\/team\/layered@sha256:/m,
    );
    expect(await host.succeed(['run', '--rm', '--network', 'none', pulled, 'cat', '/odd/owned'])).toBe('mine');
  });

  test('S06: one byte of a layer record', async () => {
    const top = await layer(3);
    flipByte(store('layers', top, 'record'), 40);
    await expectMended([`layer ${top}`, `image ${await id('layered')}`], /^Mended image /m);
  });

  test('S06: one byte of a config: the row still knows what it said, or the registry does', async () => {
    const config = await id('layered');
    flipByte(store('blobs/sha256', config), 10);
    await expectMended([`image ${config}`], /^Mended image .* from /m);
    expect(await host.succeed(['image', 'inspect', '--format', '{{.Id}}', pulled])).toBe(config);
  });

  test('S06: one byte of a manifest', async () => {
    const manifest = hex((await builtFixture('layered')).manifest.digest);
    flipByte(store('blobs/sha256', manifest), 10);
    await expectMended([`image ${await id('layered')}`], /^Mended image .* from docker:/m);
  });

  test('S05: a layer directory removed by hand', async () => {
    const top = await layer(3);
    rmSync(store('layers', top), { recursive: true });
    expect((await check('--quick')).stdout).toContain(`Damaged layer ${top}:\n1 error occurred:\n\t* it is missing\n`);
    await expectMended([`layer ${top}`, `image ${await id('layered')}`], /^Mended image /m);
  });

  test('S05: a truncated state file of a layer and a missing link are mended from what is here', async () => {
    const [second, third] = [await layer(1), await layer(2)];
    truncateSync(store('layers', second, 'layer.json'), 20);
    rmSync(store('layers/l', third.slice(0, 26)));
    await expectMended([`layer ${second}`, `layer ${third}`, `image ${await id('layered')}`], /^Mended image .* from what is here$/m);
    expect(await host.succeed(['history', '-q', pulled])).not.toBe('');
  });

  test('S05: a file of a layer that is gone by hand, and a short link that leads elsewhere', async () => {
    const [second, top] = [await layer(1), await layer(3)];
    rmSync(store('layers', top, 'diff/odd/absolute'));
    const { exitCode } = await host.run(['ln', '-sfn', '../../escape', `${host.store}/layers/l/${second.slice(0, 26)}`]);
    expect(exitCode).toBe(0);
    const found = await check();
    expect(found.stdout).toContain('\t* odd/absolute: it is gone\n');
    expect(found.stdout).toContain('\t* its short link leads elsewhere\n');
    await expectMended([`layer ${second}`, `layer ${top}`, `image ${await id('layered')}`], /^Mended image /m);
  });

  test('S06: a shared layer of an image without a registry: others mend it; containers are named, and live on', async () => {
    const base = await layer(0);
    const container = await host.succeed(['create', '--name', 'user', '--network', 'none', 'busybox', 'cat', '/etc/group']);
    flipByte(store('layers', base, 'diff/etc/group'));
    const found = await check();
    expect([...found.stdout.matchAll(/^Damaged (\w+) /gm)].map((match) => match[1])).toEqual([
      'layer',
      'image',
      'image',
      'image',
      'container',
    ]);
    expect(found.stdout).toContain(`Damaged container ${container}:\n`);
    const repaired = await check('--repair');
    expect(repaired.stdout).toMatch(/^Mended image .*team\/(layered|configured):1\) from docker:/m);
    expect(await check()).toMatchObject(clean);
    expect(await host.succeed(['start', '--attach', 'user'])).toMatch(/^root:x:0:/);
    await removeNow(host, 'user');
  });

  test('a layer under a running container is not changed beneath it', async () => {
    const top = await layer(3);
    await host.succeed(['run', '-d', '--name', 'runs', '--network', 'none', pulled, 'sleep', '1000']);
    flipByte(store('layers', top, 'diff/odd/owned'));
    const refused = await check('--repair');
    expect(refused.stdout).toContain('cannot be mended: containers use it now; stop or unmount them first: runs\n');
    expect(refused).toMatchObject({ stderr: 'Error: damage in local storage is still present after attempted repair\n', exitCode: 125 });
    expect(await host.succeed(['exec', 'runs', 'echo', 'alive'])).toBe('alive');
    await removeNow(host, 'runs');
    expect((await check('--repair')).exitCode).toBe(0);
  });

  test('what cannot be mended stays as it is; the answer is the command that removes just that image', async () => {
    const [busybox, base] = [await id('busybox'), await layer(0)];
    await using lonely = await loadedHost(['busybox', 'empty']);
    const at = (...parts: string[]): string => lonely.path(join(lonely.store, ...parts));
    await lonely.succeed(['create', '--name', 'user', 'busybox']);
    flipByte(at('layers', base, 'diff/etc/group'));
    const before = readFileSync(at('layers', base, 'diff/etc/group'));
    const repaired = await lonely.lichen(['system', 'check', '--repair']);
    expect(repaired.exitCode).toBe(125);
    expect(repaired.stdout).toContain(
      `Image ${busybox} (localhost/busybox:latest) cannot be mended: none of its names stands for an image in a registry\n` +
        `To remove just this image and its containers: lichen rm user && lichen rmi ${busybox}\n`,
    );
    expect(readFileSync(at('layers', base, 'diff/etc/group'))).toEqual(before);
    expect(await lonely.succeed(['ps', '-aq'])).not.toBe('');
    const forced = await lonely.lichen(['system', 'check', '--force']);
    expect(forced.stdout).toMatch(new RegExp(`^Deleted damaged container: [0-9a-f]{64}\nDeleted damaged image: ${busybox}$`, 'm'));
    expect(forced.exitCode).toBe(0);
    expect(await lonely.succeed(['images', '--noheading', '--format', '{{.Repository}}'])).toBe('localhost/empty');
  });

  test('a killed --repair leaves each layer there, as it was or mended', { timeout: 120_000 }, async () => {
    const top = await layer(3);
    const file = store('layers', top, 'diff/odd/owned');
    await killMany(host, {
      argv: ['system', 'check', '--repair'],
      kills: 12,
      prepare: async () => writeFileSync(file, 'MINE\n'),
      check: () => expect(['MINE', 'mine']).toContain(readFileSync(file, 'utf8').trim()),
      thorough: async () => {
        expect((await check('--repair')).exitCode).toBe(0);
        expect(await check()).toMatchObject(clean);
        expect(readFileSync(file, 'utf8')).toBe('mine\n');
      },
    });
  });

  test('layers that nothing names are damage from a certain age on, and go', async () => {
    const top = await layer(3);
    const stray = 'ab'.repeat(32);
    await host.run(['cp', '-a', `${host.store}/layers/${top}`, `${host.store}/layers/${stray}`]);
    expect(await check()).toMatchObject(clean);
    expect((await check('--max', '0s')).stdout).toContain(
      `Damaged layer ${stray}:\n1 error occurred:\n\t* it is not referenced by any image or container\n`,
    );
    expect((await check('--max', '0s', '--repair')).stdout).toContain(`Deleted damaged layer: sha256:${stray}\n`);
    expect(existsSync(store('layers', stray))).toBe(false);
  });

  test('S05: a volume whose directory is gone is named', async () => {
    await host.succeed(['volume', 'create', 'gone']);
    renameSync(store('volumes/gone/_data'), store('volumes/gone/elsewhere'));
    expect((await check()).stdout).toMatch(/^Damaged volume gone:\n1 error occurred:\n\t\* its directory .*\/gone\/_data is missing$/m);
    await host.succeed(['volume', 'rm', 'gone']);
  });

  test.each([
    [['x'], '`lichen system check` takes no arguments'],
    [['--max', 'foo'], 'invalid argument "foo" for "-m, --max" flag: time: invalid duration "foo"'],
  ])('%j is refused', async (flags, message) => {
    const { stderr, exitCode } = await check(...flags);
    expect({ message: stderr.split('\n')[0], exitCode }).toEqual({ message: `Error: ${message}`, exitCode: 125 });
  });
});
