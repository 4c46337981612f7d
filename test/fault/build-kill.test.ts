/**
 * kill -9 of builds (S01), and a disk that fills up under them (S03): an image is whole or not there, nothing leaks, and the cache of steps serves the
 * next build. LICHEN_BUILD_KILLS says how many kills there are.
 */
import { existsSync, readdirSync, statfsSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fixturePath } from '../fixtures/build/images.ts';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';
import { canRunContainers } from '../host/loaded.ts';
import { chance, SEED } from './chance.ts';
import { expectNoMore, expectWhole } from './images-kept.ts';
import { killMany } from './killing.ts';

const KILLS = Number(process.env['LICHEN_BUILD_KILLS'] ?? 16);
const TIMEOUT_MS = 120_000 + KILLS * 15_000;
const HOME_MIB = 400;
const INODES = 100_000;

const DOCKERFILE = `FROM localhost/busybox AS one
ARG N
COPY tree /tree
RUN --mount=type=cache,target=/c --mount=type=tmpfs,target=/t echo $N >> /c/log; head -c 300000 /dev/urandom > /random; sleep 0.05
FROM localhost/busybox AS two
ARG N
RUN --mount=type=bind,from=one,source=/tree,target=/t mkdir /two && cp /t/* /two && echo $N > /two/n
FROM localhost/busybox
COPY --from=one /random /random
COPY --from=two /two /two
RUN cat /two/n > /last
`;

describe.skipIf(!canRunContainers || !canShapeHosts)('a build', () => {
  let host: TestHost;
  let context: string;
  let number = 0;

  beforeAll(async () => {
    host = await testHost({ home: { sizeMib: HOME_MIB } });
    // Before there is a namespace with mounts of its own.
    expect((await host.asRoot(['mount', '-o', 'remount,strictatime', host.user.home])).exitCode).toBe(0);
    await host.succeed(['load', '--quiet', '--input', host.fixture(await fixturePath('busybox'))]);
    context = `${host.user.home}/context`;
    await host.writeFile(`${context}/Dockerfile`, DOCKERFILE);
    for (let index = 0; index < 20; index++) await host.writeFile(`${context}/tree/f${index}`, `file ${index}\n`.repeat(index * 10));
  });
  afterAll(async () => {
    await host[Symbol.asyncDispose]();
  });

  const words = (): readonly string[] => [
    'build',
    '-q',
    '-t',
    'built',
    '--build-arg',
    `N=${number}`,
    ...(number % 2 === 0 ? ['--network=none'] : []),
    context,
  ];

  const namesIn = (directory: string): readonly string[] => (existsSync(host.path(directory)) ? readdirSync(host.path(directory)) : []);

  const expectNothing = (): void => {
    expect(host.processes().filter(({ command }) => /crun|pasta|sleep 0|conmon/.test(command))).toEqual([]);
    for (const directory of [`${host.runDir}/builds`, `${host.runDir}/netns`, `${host.runDir}/oci`, `${host.store}/tmp`])
      expect({ directory, names: namesIn(directory) }).toEqual({ directory, names: [] });
    expectWhole(host);
  };

  /** What was sent a signal may need a moment. */
  const expectNothingLeft = (): Promise<void> => vi.waitFor(expectNothing, { timeout: 10_000, interval: 50 });

  /** The build that was killed, done again on what it has left. */
  const expectUsable = async (): Promise<void> => {
    const id = await host.succeed(words());
    expect(await host.succeed(['build', '-q', ...words().slice(2)])).toBe(id);
    expect(await host.succeed(['run', '--rm', '--network=none', id, 'cat', '/last', '/two/n'])).toBe(`${number}\n${number}`);
  };

  test('S01: killed at any moment leaves nothing but a cache that can be used', { timeout: TIMEOUT_MS }, async () => {
    await killMany(host, {
      argv: () => (number++, words()),
      kills: KILLS,
      title: 'build',
      check: expectNothingLeft,
      thorough: async () => {
        await expectUsable();
        await expectNothingLeft();
      },
    });
    await expectNoMore(host);
  });

  test('reads again what has changed and nothing else, and never what is ignored', { timeout: TIMEOUT_MS }, async () => {
    const own = `${host.user.home}/large`;
    const files: Readonly<Record<string, string>> = {
      Dockerfile: 'FROM scratch\nCOPY . /all\n',
      '.dockerignore': 'ignored\n',
      'same/a': 'a\n',
      'same/b': 'b\n'.repeat(10_000),
      changed: 'before\n',
      'ignored/x': 'x',
    };
    for (const [name, text] of Object.entries(files)) await host.writeFile(`${own}/${name}`, text);
    const readAt = (name: string): bigint => statSync(host.path(`${own}/${name}`), { bigint: true }).atimeNs;
    const build = (): Promise<string> => host.succeed(['build', '-q', own]);
    const ignored = readAt('ignored/x');
    await build();
    // Files are remembered when they have been at rest for a while.
    await vi.waitFor(
      async () => {
        const before = [readAt('same/a'), readAt('same/b'), readAt('changed')];
        await build();
        expect([readAt('same/a'), readAt('same/b'), readAt('changed')]).toEqual(before);
      },
      { timeout: 30_000, interval: 500 },
    );
    await host.writeFile(`${own}/changed`, 'AFTER!\n');
    const [a, changed] = [readAt('same/b'), readAt('changed')];
    const id = await host.succeed(['build', '-q', '-o', `${own}-out`, own]);
    expect(await host.readFile(`${own}-out/all/changed`)).toBe('AFTER!\n');
    expect(readAt('changed')).toBeGreaterThan(changed);
    expect(readAt('ignored/x')).toBe(ignored);
    expect(readAt('same/b')).toBeGreaterThan(a);
    // It was read for the layer, not for the key: with the cache there is no reason to.
    const last = [readAt('same/b'), readAt('same/a')];
    expect(await build()).toBe(id);
    expect([readAt('same/b'), readAt('same/a')]).toEqual(last);
    await host.succeed(['image', 'prune', '--force', '--build-cache']);
    expect(namesIn(`${host.store}/build-files`)).toEqual([]);
  });

  test('S03: on a disk that is full fails in one line, and with room the same command works', { timeout: TIMEOUT_MS }, async () => {
    const random = chance('build on a full disk');
    const limit = async (option: string): Promise<void> => {
      expect(await host.asRoot(['mount', '-o', `remount,${option}`, host.user.home])).toMatchObject({ stderr: '', exitCode: 0 });
    };
    const used = (): { readonly inodes: number; readonly bytes: number } => {
      const { files, ffree, blocks, bfree, bsize } = statfsSync(host.path(host.user.home));
      return { inodes: files - ffree, bytes: (blocks - bfree) * bsize };
    };
    const emptied = (): Promise<unknown> => host.succeed(['system', 'prune', '--force', '--build']);
    const levels = [0, 3, ...Array.from({ length: 4 }, () => Math.round(random() * 150))];
    let failures = 0;
    for (const level of levels) {
      number++;
      await emptied();
      expect(namesIn(`${host.store}/build-cache`)).toEqual([]);
      await limit(level % 2 === 0 ? `nr_inodes=${used().inodes + level}` : `size=${used().bytes + level * 8192}`);
      const { stdout, stderr, exitCode } = await host.lichen(words());
      await limit(`nr_inodes=${INODES},size=${HOME_MIB}m`);
      if (exitCode !== 0) {
        failures++;
        const shown = { seed: SEED, level, stdout, stderr };
        expect(shown).toEqual({ ...shown, stdout: '', stderr: expect.stringMatching(/(disk is full|[Nn]o space left on device)/) });
        expect(shown).toEqual({ ...shown, stderr: expect.not.stringMatching(/^ +at /m) });
      }
      await expectNothingLeft();
      await expectUsable();
    }
    expect(failures).toBeGreaterThan(2);
    await expectNoMore(host);
  });
});
