/** `mount`, `image mount` and their undoing, and where the parts of a root file system lie. */
import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages } from '../fixtures/build/images.ts';
import type { CommandResult, TestHost } from '../host/host.ts';
import { loadedHost, removeNow } from '../host/loaded.ts';

describe.skipIf(!canMakeImages)('mounts', () => {
  let host: TestHost;
  beforeAll(async () => {
    host = await loadedHost(['busybox', 'layered', 'empty']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  /** A script of the user inside the namespaces of the store, where `lichen` is lichen. */
  const inside = (script: string): Promise<CommandResult> => host.lichen(['unshare', 'sh', '-c', script]);
  const succeed = async (script: string): Promise<string> => {
    const { stdout, stderr, exitCode } = await inside(script);
    expect({ stderr, exitCode }).toEqual({ stderr: '', exitCode: 0 });
    return stdout.trimEnd();
  };

  test('outside of the user namespace nobody would see a mount: the error says where to go', async () => {
    for (const words of [['mount'], ['unmount', 'x'], ['container', 'mount', 'x'], ['image', 'mount']]) {
      expect(await host.lichen(words)).toMatchObject({
        stdout: '',
        stderr: `Error: cannot run command "lichen ${words.filter((word) => word !== 'x').join(' ')}" in rootless mode, must execute \`lichen unshare\` first\n`,
        exitCode: 125,
      });
    }
  });

  test('what runs inside works on the same store as outside', async () => {
    expect(await succeed('lichen images -q')).toBe(await host.succeed(['images', '-q']));
    expect(await succeed('lichen run --rm --network none busybox echo inside')).toBe('inside');
  });

  test('an image that is mounted inside may be unmounted from outside', async () => {
    const path = await succeed('lichen image mount layered');
    expect(await host.succeed(['image', 'unmount', 'layered'])).toBe((await builtFixture('layered')).config.digest.slice('sha256:'.length));
    expect(await succeed(`ls -A "${path}" 2>/dev/null || true`)).toBe('');
  });

  test('an image is mounted read-only as often as asked, and goes with the last unmount', async () => {
    const id = (await builtFixture('layered')).config.digest.slice('sha256:'.length);
    const path = await succeed('lichen image mount layered');
    expect(await succeed(`cat ${path}/data/kept ${path}/data/replaced; ls ${path}/data/emptied`)).toBe('lower\nupper\nnew');
    expect((await inside(`touch ${path}/data/x`)).stderr).toContain('Read-only file system');
    expect(await succeed(`lichen image mount ${id}`)).toBe(path);
    expect(await succeed('lichen image mount')).toBe(`localhost/layered:latest  ${path}`);
    expect(JSON.parse(await succeed('lichen image mount --format json'))).toEqual([
      { id, Names: [expect.stringMatching(/^sha256:/)], Repositories: ['localhost/layered:latest'], mountpoint: path },
    ]);
    expect(await host.succeed(['image', 'inspect', '--format', '{{.GraphDriver.Data.MergedDir}}', 'layered'])).toBe(path);
    expect(await succeed('lichen image unmount layered')).toBe(id);
    expect(await succeed(`cat ${path}/data/kept`)).toBe('lower');
    expect(await succeed('lichen image umount layered')).toBe(id);
    expect(await succeed('lichen image mount; lichen image unmount layered')).toBe('');
    expect(existsSync(host.path(path))).toBe(false);
  });

  test('all images at once; one without layers has nothing to mount', async () => {
    const rows = (await succeed('lichen image mount --all')).split('\n');
    expect(rows.map((row) => row.replace(/ .*/, '')).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'localhost/busybox:latest',
      'localhost/layered:latest',
    ]);
    await succeed('lichen image mount busybox');
    expect((await succeed('lichen image unmount --all --force')).split('\n')).toHaveLength(2);
    expect(await inside('lichen image mount empty')).toMatchObject({ stderr: 'Error: layer not known\n', exitCode: 125 });
  });

  test('an image that is removed takes its mount along', async () => {
    await succeed('lichen image mount layered');
    expect(await host.succeed(['rmi', 'layered'])).toContain('Deleted: ');
    expect(await succeed('lichen image mount')).toBe('');
    expect(existsSync(host.path(`${host.store}/mounts`))).toBe(false);
  });

  test('a container at rest is mounted as often as asked, with what it wrote', async () => {
    const id = await host.succeed(['create', '--name', 'one', '--network', 'none', 'busybox', 'sh', '-c', 'echo run >> /log']);
    const path = await succeed('lichen mount one');
    await succeed(`echo outside > ${path}/log`);
    expect(await succeed('lichen container mount --latest')).toBe(path);
    expect(await succeed('lichen mount')).toBe(`${id.slice(0, 12)}  ${path}`);
    expect(await succeed('lichen mount --no-trunc')).toBe(`${id}  ${path}`);
    expect(JSON.parse(await succeed('lichen mount --format json'))).toEqual([{ id, Names: ['one'], mountpoint: path }]);
    // A run in between finds the same tree, and leaves it mounted for those who asked.
    await host.succeed(['start', '--attach', 'one']);
    expect(await succeed(`cat ${path}/log`)).toBe('outside\nrun');
    expect(await succeed('lichen unmount one')).toBe('one');
    expect(await succeed(`cat ${path}/log`)).toBe('outside\nrun');
    expect(await succeed('lichen umount --latest')).toBe(id);
    expect(await succeed('lichen mount')).toBe('');
    expect(await host.succeed(['diff', 'one'])).toBe('C /etc\nA /log');
    await succeed('lichen mount one; lichen mount one; lichen unmount --all --force');
    expect(await succeed('lichen mount')).toBe('');
    await succeed('lichen mount --all');
    expect(await host.succeed(['rm', 'one'])).toBe('one');
    expect(existsSync(host.path(`${host.store}/containers/${id}`))).toBe(false);
  });

  test('a container that runs is mounted, and nobody takes its root away', async () => {
    const id = await host.succeed(['run', '-d', '--rm', '--name', 'runs', '--network', 'none', 'busybox', 'sleep', '1000']);
    const path = await succeed('lichen mount runs');
    expect(await succeed('lichen mount')).toBe(`${id.slice(0, 12)}  ${path}`);
    expect(await succeed('lichen unmount --force runs; lichen unmount runs; lichen unmount --all')).toBe('runs\nruns');
    expect(await host.succeed(['exec', 'runs', 'echo', 'alive'])).toBe('alive');
    await succeed('lichen mount runs');
    await host.succeed(['stop', '--time', '0', 'runs']);
    await expect.poll(() => existsSync(host.path(`${host.store}/containers/${id}`))).toBe(false);
    expect(await succeed('lichen mount')).toBe('');
  });

  test('killed at any moment, a mount is there and counted or not there', async () => {
    const id = await host.succeed(['create', '--name', 'two', 'busybox', 'true']);
    for (const [place, delayMs] of [40, 50, 60, 80].entries()) {
      // As `unshare` would start it, but ours to kill.
      const env = { _CONTAINERS_USERNS_CONFIGURED: 'done' };
      const words = place % 2 === 0 ? ['image', 'mount', 'busybox'] : ['mount', 'two'];
      await using mounting = host.spawnLichen(words, { env });
      await new Promise((resolve) => setTimeout(resolve, delayMs));
      mounting.signal('SIGKILL');
      await mounting.finish();
      const [images, containers] = [await succeed('lichen image mount'), await succeed('lichen mount')];
      expect(readdirSync(host.path(host.store)).includes('mounts')).toBe(images !== '');
      await succeed('lichen image unmount busybox; lichen unmount two');
      expect([await succeed('lichen image mount'), await succeed('lichen mount')]).toEqual(['', '']);
      expect(containers === '' || containers.startsWith(id.slice(0, 12))).toBe(true);
    }
    await removeNow(host, 'two');
  });

  test('mounts that went with their namespace are forgotten by the next command', async () => {
    await host.succeed(['create', '--name', 'three', 'busybox', 'true']);
    const path = await succeed('lichen mount three >/dev/null; lichen image mount busybox');
    await host.succeed(['system', 'migrate']);
    expect(await succeed('lichen image mount; lichen mount')).toBe('');
    expect(existsSync(host.path(path))).toBe(false);
    expect(await host.succeed(['rm', 'three'])).toBe('three');
  });

  test('lower, upper, work and merged of a container can be looked at; merged goes with the stop, upper with rm', async () => {
    const id = await host.succeed([
      'run',
      '-d',
      '--name',
      'seen',
      '--network',
      'none',
      'busybox',
      'sh',
      '-c',
      'echo mine > /mine; sleep 1000',
    ]);
    await expect.poll(() => host.succeed(['diff', 'seen'])).toContain('A /mine');
    const data = async (key: string): Promise<string> => host.succeed(['inspect', '--format', `{{.GraphDriver.Data.${key}}}`, 'seen']);
    const [lower, upper, work, merged] = [await data('LowerDir'), await data('UpperDir'), await data('WorkDir'), await data('MergedDir')];
    expect(await succeed(`ls ${lower}/bin/busybox; cat ${upper}/mine ${merged}/mine; ls -d ${work}; ls ${merged}/bin/busybox`)).toBe(
      `${lower}/bin/busybox\nmine\nmine\n${work}\n${merged}/bin/busybox`,
    );
    expect(await succeed(`test -e ${upper}/bin/busybox || echo only what it wrote`)).toBe('only what it wrote');
    await host.succeed(['stop', '--time', '0', 'seen']);
    expect(existsSync(host.path(merged))).toBe(false);
    expect(await data('MergedDir')).toBe('<no value>');
    expect(await succeed(`cat ${upper}/mine`)).toBe('mine');
    await host.succeed(['rm', 'seen']);
    expect(existsSync(host.path(upper))).toBe(false);
    expect(existsSync(host.path(`${host.store}/containers/${id}`))).toBe(false);
  });

  test("an image's directories are there, the topmost layer as the upper one", async () => {
    const { UpperDir, WorkDir, LowerDir } = JSON.parse(
      await host.succeed(['image', 'inspect', '--format', '{{json .GraphDriver.Data}}', 'busybox']),
    ) as Record<string, string>;
    expect(LowerDir).toBeUndefined();
    expect(await succeed(`ls ${UpperDir}/bin/busybox; ls ${WorkDir}`)).toBe(`${UpperDir}/bin/busybox`);
  });

  test.each([
    ['mount nosuch', 'no container with name or ID "nosuch" found: no such container'],
    ['mount --format x', 'unknown --format argument: "x"'],
    ['mount -a x', 'no arguments are needed with --all'],
    ['mount -l x', '--latest and containers cannot be used together'],
    ['mount -l', 'no such container'],
    ['unmount', 'you must provide at least one name or id'],
    ['unmount nosuch', 'no container with name or ID "nosuch" found: no such container'],
    ['image mount nosuch', 'nosuch: image not known'],
    ['image mount busybox nosuch', 'nosuch: image not known'],
    ['image mount --format table', 'unknown --format argument: "table"'],
    ['image mount -a x', 'when using the --all switch, you may not pass any image names or IDs'],
    ['image unmount', 'image name or ID must be specified'],
    ['image unmount nosuch', 'nosuch: image not known'],
  ])('%s: %s', async (script, message) => {
    // As `unshare` would start it.
    const env = { _CONTAINERS_USERNS_CONFIGURED: 'done' };
    expect(await host.lichen(script.split(' '), { env })).toMatchObject({ stdout: '', stderr: `Error: ${message}\n`, exitCode: 125 });
  });
});
