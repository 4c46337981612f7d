/** What a volume holds, as a tar out and in; mounts by hand; volumes that show an image. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tarOf, type Member } from '../fixtures/tar/build.ts';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;

const run = (volume: string, script: string) => host.succeed(['run', '--rm', '--network=none', '-v', volume, BUSYBOX, ...sh(script)]);
const listing = async (file: string) => (await host.run(['tar', 'tf', file])).stdout.split('\n').filter((line) => line !== '');
const data = (volume: string) => host.path(`${host.store}/volumes/${volume}/_data`);

/** Ids of the container's root. */
const OWN = { uid: 0, gid: 0 };

async function importMembers(volume: string, members: readonly Member[]) {
  await host.writeFile('/tmp/in.tar', tarOf(members.map((member) => ({ ...OWN, ...member }))));
  return host.lichen(['volume', 'import', volume, '/tmp/in.tar']);
}

describe.skipIf(!canRunContainers)('volumes', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('export and import give everything back: owners, modes, times, links, odd names', async () => {
    await run(
      'one:/v',
      'cd /v; mkdir -p d/e; echo hi > d/f; ln d/f hard; ln -s d/f soft; mkfifo pipe; chown 5:6 d/f; chmod 4711 d/f; chmod 1750 d/e; touch ./-rf "a b"; touch -d @1000000000 d/f d/e',
    );
    const state = 'cd /v; find . | sort | xargs -d "\\n" stat -c "%n %F %a %u %g %h %Y" | grep -v "^\\. "; cat d/f; readlink soft';
    await host.succeed(['volume', 'export', '--output', '/tmp/one.tar', 'one']);
    expect(await listing('/tmp/one.tar')).toEqual(['-rf', 'a b', 'd/', 'd/e/', 'd/f', 'hard', 'pipe', 'soft']);
    await host.succeed(['volume', 'create', 'two']);
    expect(await host.succeed(['volume', 'import', 'two', '/tmp/one.tar'])).toBe('');
    expect(await run('two:/v', state)).toBe(await run('one:/v', state));
    const { stdout } = await host.run(
      sh(
        'lichen() { /opt/lichen/bin/lichen "$@"; }; lichen volume export one | gzip > /tmp/z; lichen volume create z; lichen volume import z - < /tmp/z; echo $?',
      ),
    );
    expect(stdout).toBe('z\n0\n');
    expect(await run('z:/v', state)).toBe(await run('one:/v', state));
    await host.succeed(['volume', 'rm', 'one', 'two', 'z']);
  });

  test('what is missing or no archive is said', async () => {
    await host.succeed(['volume', 'create', 'v']);
    await host.writeFile('/tmp/short', 'abc\n');
    const failures: readonly (readonly [readonly string[], RegExp | string])[] = [
      [['export', 'nosuch', '-o', '/tmp/x.tar'], 'no volume with name "nosuch" found: no such volume'],
      [['export'], 'accepts 1 arg(s), received 0'],
      [['export', '-o', '/absent/x', 'v'], 'unable to create export file /absent/x: open /absent/x: no such file or directory'],
      [['import', 'nosuch', '/tmp/short'], 'no volume with name "nosuch" found: no such volume'],
      [['import', 'v'], 'accepts 2 arg(s), received 1'],
      [['import', 'v', '/absent.tar'], 'unable open input file: open /absent.tar: no such file or directory'],
      [['import', 'v', '/tmp/short'], /^extracting into volume v: .*unexpected EOF/],
      [['mount', 'v'], 'cannot run command "lichen volume mount" in rootless mode, must execute `lichen unshare` first'],
      [['unmount', 'nosuch'], 'no volume with name "nosuch" found: no such volume'],
      [['reload', 'x'], '`lichen volume reload` takes no arguments'],
      [['create', '-d', 'image', 'x'], 'must provide an image name when creating a volume with the image driver: invalid argument'],
      [['create', '-d', 'image', '-o', 'image=nosuch', 'x'], 'looking up image nosuch to create volume failed: nosuch: image not known'],
      [
        ['create', '-d', 'image', '-o', 'image=busybox', '-o', 'foo=bar', 'x'],
        "invalid mount option foo for driver 'image': invalid argument",
      ],
      [
        ['create', '-o', 'type=bind', '-o', 'device=/absent', 'x'],
        "invalid volume option device for driver 'local': faccessat /absent: no such file or directory",
      ],
    ];
    for (const [args, message] of failures) {
      const { exitCode, stderr } = await host.lichen(['volume', ...args]);
      const words = stderr.replace(/^Error: /, '').trimEnd();
      if (typeof message === 'string') expect(words).toBe(message);
      else expect(words).toMatch(message);
      expect(exitCode).toBe(125);
    }
    expect(await host.succeed(['volume', 'import', 'v', '-'], { input: '' })).toBe('');
    expect(await host.succeed(['volume', 'reload'])).toBe('');
    await host.succeed(['volume', 'rm', 'v']);
  });

  test('C04: an archive that wants out of the volume stays inside', async () => {
    await host.run(['mkdir', '-p', '/tmp/outside']);
    await host.run(['chmod', '777', '/tmp/outside']);
    await host.succeed(['volume', 'create', 'v']);
    const bad: readonly (readonly [Member[], RegExp])[] = [
      [[{ path: '../../../evil', body: 'x' }], /leads out of the layer/],
      [
        [
          { path: 'link', type: 'symlink', link: '/tmp/outside' },
          { path: 'link/evil', body: 'x' },
        ],
        /a parent is not a directory/,
      ],
      [
        [
          { path: 'up', type: 'symlink', link: '../../../../../../../tmp/outside' },
          { path: 'up/evil', body: 'x' },
        ],
        /a parent is not a directory/,
      ],
      [[{ path: 'hard', type: 'hardlink', link: '../../../../etc/passwd' }], /leads out of the layer/],
      [[{ path: 'hard', type: 'hardlink', link: 'etc/passwd' }], /no such file or directory|not in the archive/],
      [[{ path: 'huge', uid: 4_000_000_000 }], /potentially insufficient UIDs or GIDs/],
    ];
    for (const [members, message] of bad) {
      const { exitCode, stderr } = await importMembers('v', members);
      expect(stderr).toMatch(message);
      expect(stderr).toMatch(/^Error: extracting into volume v: /);
      expect(exitCode).toBe(125);
    }
    // A link is replaced, not written through; an absolute name lies below the top; a device is left out and said.
    await host.writeFile('/tmp/outside/file', 'mine');
    const { exitCode, stderr } = await importMembers('v', [
      { path: 'file', type: 'symlink', link: '/tmp/outside/file' },
      { path: 'file', body: 'replaced' },
      { path: '/abs/file', body: 'inside' },
      { path: 'd', type: 'directory' },
      { path: 'd/x', body: 'x' },
      { path: 'd', body: 'no directory any more' },
      { path: 'null', type: 'char', device: { major: 1, minor: 3 } },
    ]);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('null') as string });
    expect(await host.readFile('/tmp/outside/file')).toBe('mine');
    expect((await host.run(['ls', '/tmp/outside'])).stdout).toBe('file\n');
    expect(await run('v:/v', 'cat /v/file /v/abs/file /v/d')).toBe('replacedinsideno directory any more');
    await host.succeed(['volume', 'rm', 'v']);
  });

  test('C04: links that a container swaps during an export show nothing of the host', async () => {
    const flip =
      'cd /v; mkdir real; echo ours > real/passwd; ln -s /etc link; mkdir d; while :; do mv -T real d 2>/dev/null; mv d/real real 2>/dev/null; mv -T d x; ln -s /etc d; rm d; mv -T x d; done';
    await host.succeed(['run', '-d', '--name=flip', '--network=none', '-v', 'v:/v', BUSYBOX, ...sh(flip.replaceAll('mv -T', 'mv'))]);
    for (let round = 0; round < 6; round++) {
      await host.succeed(['volume', 'export', '-o', '/tmp/flip.tar', 'v']);
      const { stdout } = await host.run(['tar', 'xOf', '/tmp/flip.tar']);
      expect(stdout.replaceAll('ours\n', '')).toBe('');
      expect((await listing('/tmp/flip.tar')).filter((name) => /hostname|group|shadow/.test(name))).toEqual([]);
    }
    await removeNow(host, 'flip');
    await host.succeed(['volume', 'rm', 'v']);
  });

  test('C05: a volume that holds something is never filled from an image', async () => {
    await host.succeed(['volume', 'create', 'v']);
    await importMembers('v', [{ path: 'passwd', body: 'mine' }]);
    expect(await run('v:/etc', 'cat /etc/passwd; ls -A /etc/group 2>&1 | head -1')).toMatch(/^mine/);
    expect(readFileSync(`${data('v')}/passwd`, 'utf8')).toBe('mine');
    expect(existsSync(`${data('v')}/group`)).toBe(false);
    await host.succeed(['volume', 'rm', 'v']);
  });

  test('a tmpfs volume can be mounted by hand inside unshare, and counts', async () => {
    await host.succeed(['volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=1m', 'tv']);
    const inside = (...args: readonly string[]) => host.succeed(['unshare', '/opt/lichen/bin/lichen', 'volume', ...args]);
    expect(await inside('mount', 'tv')).toBe(`${host.store}/volumes/tv/_data`);
    await inside('mount', 'tv');
    expect(await host.succeed(['volume', 'inspect', '-f', '{{.MountCount}}', 'tv'])).toBe('2');
    await run('tv:/v', 'echo kept > /v/file');
    expect(await inside('unmount', 'tv')).toBe('tv');
    expect(await run('tv:/v', 'cat /v/file')).toBe('kept');
    await host.succeed(['volume', 'export', '-o', '/tmp/tv.tar', 'tv']);
    expect(await listing('/tmp/tv.tar')).toEqual(['file']);
    await inside('unmount', 'tv');
    expect(await host.succeed(['volume', 'inspect', '-f', '{{.MountCount}}', 'tv'])).toBe('0');
    expect(await run('tv:/v', 'ls /v')).toBe('');
    await host.succeed(['volume', 'rm', 'tv']);
  });

  test('--driver image shows the tree of an image, keeps changes, and holds the image', async () => {
    await host.succeed(['volume', 'create', '-d', 'image', '-o', `image=${BUSYBOX}`, 'iv']);
    expect(await host.succeed(['volume', 'inspect', '-f', '{{.Driver}} {{.Options}}', 'iv'])).toBe(`image map[image:${BUSYBOX}]`);
    expect(await run('iv:/iv', 'ls /iv/bin/busybox; touch /iv/x')).toBe('/iv/bin/busybox');
    expect(await run('iv:/iv:ro', 'ls /iv/x; touch /iv/y 2>&1; true')).toContain('/iv/x\ntouch: /iv/y: Read-only file system');
    await host.succeed(['volume', 'export', '-o', '/tmp/iv.tar', 'iv']);
    expect(await listing('/tmp/iv.tar')).toEqual(expect.arrayContaining(['bin/busybox', 'x']));
    expect(await host.lichen(['rmi', BUSYBOX])).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('Error: image used by volume iv: image is in use by a volume\n') as string,
    });
    await host.succeed(['volume', 'rm', 'iv']);
    expect(existsSync(host.path(`${host.store}/volumes/iv`))).toBe(false);
  });
});
