/** Root file systems and volumes that mean harm (reference/hostile.md, R03 to R06): nothing outside of the container's root is read, made or mounted on. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const OUTSIDE = '/home/tester/outside';
const CLIMB = `../../../../../../../../../..${OUTSIDE}`;

/** A root made of busybox, with `more` done in it. */
async function root(more: string): Promise<string> {
  const script = `rm -rf root; mkdir -p root; cd root; ${more}
    mkdir -p bin etc tmp; cp /opt/busybox bin/busybox; for name in sh ls cat stat mount; do ln -s busybox bin/$name; done`;
  expect(await host.run(sh(script))).toMatchObject({ exitCode: 0, stderr: '' });
  return '/home/tester/root';
}

function run(rootfs: string, flags: readonly string[], script: string) {
  return host.lichen(['run', '--rm', '--network=none', ...flags, '--rootfs', rootfs, ...sh(script)]);
}

/** Names, kinds and contents of all that a container must leave alone. */
async function outside(): Promise<string> {
  return (await host.run(sh(`find ${OUTSIDE} -printf '%y %m %p\\n' | sort; cat ${OUTSIDE}/file`))).stdout;
}

describe.skipIf(!canRunContainers)('hostile roots', () => {
  let before: string;
  beforeAll(async () => {
    host = await loadedHost();
    // The image's busybox needs no libraries.
    await host.succeed(['create', '--name=source', BUSYBOX]);
    await host.succeed(['cp', 'source:/bin/busybox', '/tmp/busybox']);
    await host.asRoot(['mv', '/tmp/busybox', '/opt/busybox']);
    await removeNow(host, 'source');
    await host.run(sh(`mkdir -p ${OUTSIDE}/dir; echo secret > ${OUTSIDE}/file`));
  });
  beforeEach(async () => {
    before = await outside();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test.each([
    ['a link to a directory of the host', `ln -s ${OUTSIDE} dev`],
    ['a link that climbs', `ln -s ${CLIMB} dev`],
  ])('R03: /dev is %s', async (_, make) => {
    const { stdout } = await run(await root(make), ['-t'], 'ls -l /dev/null; echo x > /dev/null');
    expect(stdout === '' || /^c.*1,\s+3.*\/dev\/null/.test(stdout) || stdout.startsWith('Error: ')).toBe(true);
    expect(await outside()).toBe(before);
  });

  test('R03: /dev/null, console, ptmx and pts of the root lead to the host: the container has its own', async () => {
    const names = ['null', 'zero', 'full', 'random', 'tty', 'console', 'ptmx', 'stdout'];
    const links = names.map((name) => `ln -s ${CLIMB}/file dev/${name}`).join('; ');
    const rootfs = await root(
      `mkdir dev; ${links}; ln -s ${OUTSIDE}/dir dev/pts; ln -s ${OUTSIDE}/dir dev/shm; ln -s ${OUTSIDE}/dir dev/mqueue`,
    );
    const script = `for name in null zero full random tty; do stat -c '%n %t,%T' /dev/$name; done; test -c /dev/console && echo console; echo gone > /dev/null; echo seen > /dev/stdout; ls /dev/shm`;
    const { stdout, exitCode } = await run(rootfs, ['-t'], script);
    expect(stdout.replaceAll('\r', '')).toBe('/dev/null 1,3\n/dev/zero 1,5\n/dev/full 1,7\n/dev/random 1,8\n/dev/tty 5,0\nconsole\nseen\n');
    expect(exitCode).toBe(0);
    expect(await outside()).toBe(before);
  });

  test.each([
    ['proc', `ln -s ${OUTSIDE} proc`],
    ['proc', 'ln -s /tmp proc'],
    ['sys', `ln -s ${CLIMB} sys`],
    ['sys', 'ln -s /tmp sys'],
  ])('R04: /%s is a link: refused (%s)', async (name, make) => {
    const { stdout, stderr, exitCode } = await run(await root(make), [], 'echo ran');
    expect({ stdout, refused: exitCode === 126 || exitCode === 127 }).toEqual({ stdout: '', refused: true });
    expect(stderr).toMatch(new RegExp(`^Error: .*\`/?${name}`));
    expect(await outside()).toBe(before);
  });

  test('R04: what is to be masked or read-only under /proc cannot be a link of the image, and a mask over one in the root hides nothing outside', async () => {
    const rootfs = await root(`mkdir -p proc sys dev; ln -s ${OUTSIDE}/file secret; ln -s ${CLIMB}/file climb`);
    const flags = ['--security-opt', 'mask=/secret:/climb'];
    await run(rootfs, flags, 'cat /secret /climb');
    expect(await outside()).toBe(before);
    const { stdout, stderr } = await run(
      await root('mkdir -p proc/sys sys dev; ln -s /etc/passwd proc/keys; ln -s /tmp proc/sys/kernel'),
      [],
      'wc -c < /proc/keys; echo x > /proc/sys/kernel/hostname',
    );
    expect({ stdout, stderr }).toEqual({ stdout: '0\n', stderr: expect.stringContaining('Read-only file system') });
  });

  test('R05: the place of a volume is a link to / or out of the root: it is found inside the root, and nothing is made on the host', async () => {
    const rootfs = await root(`mkdir -p proc sys dev; ln -s / slash; ln -s ${CLIMB} climb; ln -s ${OUTSIDE} absolute`);
    for (const target of ['/slash/inside', '/climb/made', '/absolute/made', '/absolute/dir']) {
      await run(rootfs, ['-v', `scoped:${target}`, '-v', `/tmp:${target}2`], `echo written > ${target}/out; true`);
      expect(await outside()).toBe(before);
    }
    const { stdout } = await run(rootfs, ['-v', 'scoped:/slash/inside'], 'echo ok > /inside/new; cat /inside/new');
    expect(stdout).toBe('ok\n');
    expect((await host.run(sh('test -e /inside || echo absent'))).stdout).toBe('absent\n');
  });

  test('R05: swapped in a loop by a container that shares the volume, the place of a second mount never leads outside', async () => {
    const flip = `mkdir -p /share/a; ln -s ${CLIMB} /share/link; while :; do mv /share/a /share/x; mv /share/link /share/a; mv /share/a /share/link; mv /share/x /share/a; done`;
    await host.succeed(['run', '-d', '--network=none', '--name=flipper', '-v', 'shared:/share', BUSYBOX, ...sh(flip)]);
    for (let round = 0; round < 8; round++) {
      await host.lichen([
        'run',
        '--rm',
        '--network=none',
        '-v',
        'shared:/share',
        '-v',
        'inner:/share/a/made',
        BUSYBOX,
        ...sh('echo in > /share/a/made/out'),
      ]);
      expect(await outside()).toBe(before);
    }
    await removeNow(host, 'flipper');
    await host.succeed(['volume', 'rm', '--all', '--force']);
  });

  test('R06: sources and places that are wrong are refused before anything is made; odd names are taken as they are', async () => {
    const refused: readonly (readonly [readonly string[], string])[] = [
      [['-v', `${OUTSIDE}:/`], 'invalid container path "/", must not be the root directory'],
      [['-v', `${OUTSIDE}:a`], 'invalid container path "a", must be an absolute path'],
      [['-v', `${OUTSIDE}/none:/a`], `statfs ${OUTSIDE}/none: no such file or directory`],
      [['-v', `${OUTSIDE}:/a`, '--tmpfs', '/a'], '/a: duplicate mount destination'],
      [['-v', `${OUTSIDE}:/a`, '-v', '/tmp:/a'], '/a: duplicate mount destination'],
      [['-v', `${OUTSIDE}:/a:ro:z`], `${OUTSIDE}:/a:ro:z: incorrect volume format, should be [host-dir:]ctr-dir[:option]`],
      [['-v', `${OUTSIDE}:/a:bogus`], 'invalid option type "bogus"'],
      [['--mount', `type=bind,src=${OUTSIDE}`], 'must set volume destination'],
      [['--mount', `type=bind,src=${OUTSIDE},dst=/a\nb`], 'record on line 2: wrong number of fields'],
    ];
    for (const [flags, error] of refused) {
      const { stdout, stderr, exitCode } = await host.lichen(['run', '--rm', '--network=none', ...flags, BUSYBOX, 'echo', 'ran']);
      expect({ flags, stdout, stderr, exitCode }).toEqual({ flags, stdout: '', stderr: `Error: ${error}\n`, exitCode: 125 });
    }
    expect(await host.succeed(['ps', '-aq'])).toBe('');
    for (const target of ['/a,b', '/a\nb', '/../../up']) {
      const script = `test -f '${target}/file' && echo there`;
      expect(await host.succeed(['run', '--rm', '--network=none', '-v', `${OUTSIDE}:${target}`, BUSYBOX, ...sh(script)])).toBe('there');
    }
    expect(
      await host.succeed(['run', '--rm', '--network=none', '--mount', `type=bind,src=${OUTSIDE},"dst=/c,d"`, BUSYBOX, 'ls', '/c,d']),
    ).toBe('dir\nfile');
    expect(await outside()).toBe(before);
  });

  test('R06: binding over /proc and /sys, and the machine’s own /proc, gives no more than the bind says', async () => {
    const over = ['run', '--rm', '--network=none', '-v', `${OUTSIDE}:/proc:ro`, BUSYBOX, 'ls', '/proc'];
    const { stdout, stderr } = await host.lichen(over);
    expect(`${stdout}${stderr}`).toMatch(/^dir\nfile\n$|^Error: /);
    const look = [
      'run',
      '--rm',
      '--network=none',
      '-v',
      '/proc:/machine:ro',
      BUSYBOX,
      ...sh('ls -l /machine/1/root/ 2>&1; echo x > /machine/sys/kernel/hostname'),
    ];
    const machine = await host.lichen(look);
    expect(machine.exitCode).not.toBe(0);
    expect(machine.stdout).toContain('Permission denied');
    expect(await outside()).toBe(before);
  });
});
