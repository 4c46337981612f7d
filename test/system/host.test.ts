import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { builtFixture, canMakeImages, fixturePath } from '../fixtures/build/images.ts';
import { pushFixture } from '../fixtures/build/push.ts';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';
import { hostsDirectory } from '../host/places.ts';
import { canRunRegistry, startRegistry } from '../host/registry.ts';
import { canRunJournal } from '../host/journal.ts';
import { canRunSystemd } from '../host/systemd.ts';

const has = (program: string) => existsSync(`/usr/bin/${program}`);
const sh = (script: string) => ['/bin/sh', '-c', script];

describe('commands', () => {
  test('stdout, stderr, exit code and input are those of the program', async () => {
    await using host = await testHost();
    const result = await host.run(sh('cat; echo talk >&2; exit 7'), { input: 'data' });
    expect(result).toMatchObject({ stdout: 'data', stderr: 'talk\n', exitCode: 7 });
  });

  test('environment and working directory are the ones given', async () => {
    await using host = await testHost({ env: { FROM_HOST: '1' } });
    const { stdout } = await host.run(sh('pwd; echo "$FROM_HOST $FROM_CALL ${LANG-unset}"'), {
      cwd: '/tmp',
      env: { FROM_CALL: '2', LANG: undefined },
    });
    expect(stdout).toBe('/tmp\n1 2 unset\n');
  });

  test.skipIf(!has('script'))('a terminal has the size asked for and passes the exit code on', async () => {
    await using host = await testHost();
    const { stdout, exitCode } = await host.run(sh('test -t 0 && test -t 1 && stty size; exit 4'), { tty: { rows: 30, columns: 100 } });
    expect({ stdout, exitCode }).toEqual({ stdout: '30 100\r\n', exitCode: 4 });
  });

  test.skipIf(!has('script'))('a program on a terminal can be talked to', async () => {
    await using host = await testHost();
    await using shell = host.spawn(['/bin/sh'], { tty: true });
    shell.write('echo answer-$((40 + 2))\n');
    await shell.waitForOutput(/answer-42/);
    shell.write('exit 5\n');
    expect((await shell.finish()).exitCode).toBe(5);
  });

  test('a signal reaches the program itself', async () => {
    await using host = await testHost();
    await using program = host.spawn(sh('trap "echo caught; exit 9" USR1; echo up; while :; do sleep 0.05; done'));
    await program.waitForOutput(/up/);
    program.signal('SIGUSR1');
    expect(await program.finish()).toMatchObject({ stdout: 'up\ncaught\n', exitCode: 9 });
  });

  test('a program that takes too long is killed and what it said is in the error', async () => {
    await using host = await testHost();
    await expect(host.run(sh('echo half; exec sleep 60'), { timeoutMs: 300 })).rejects.toThrow(/still running after 300 ms[^]*half/);
  });
});

describe.skipIf(!canShapeHosts)('the machine', () => {
  test('the user is an ordinary one with a private home and runtime directory', async () => {
    await using host = await testHost();
    const { stdout } = await host.run(
      sh('id -u; stat -c "%U %a" "$HOME" "$XDG_RUNTIME_DIR"; grep ^CapEff /proc/self/status; touch "$HOME/x" "$XDG_RUNTIME_DIR/x"'),
    );
    expect(stdout).toBe('2000\ntester 700\ntester 700\nCapEff:\t0000000000000000\n');
  });

  test('root is root, with or without the right to raise limits', async () => {
    await using root = await testHost({ user: 'root-without-cap-sys-resource' });
    const { stdout } = await root.run(sh('id -u; echo $HOME; sed -n "s/^CapEff:.//p" /proc/self/status'));
    const [uid, home, capabilities] = stdout.split('\n');
    expect({ uid, home }).toEqual({ uid: '0', home: '/root' });
    expect((BigInt(`0x${capabilities}`) >> 24n) & 1n).toBe(0n);
    expect((BigInt(`0x${capabilities}`) >> 21n) & 1n).toBe(1n);
  });

  test.skipIf(!has('newuidmap'))('newuidmap maps the subordinate ids', async () => {
    await using host = await testHost();
    const { stdout } = await host.run(
      sh('unshare -U sleep 5 & sleep 0.2; newuidmap $! 0 2000 1 1 100000 65536 && cat /proc/$!/uid_map; kill $!; wait'),
    );
    expect(stdout.trim().split(/\s+/)).toEqual(['0', '2000', '1', '1', '100000', '65536']);
  });

  test('overlay mounts work in a user namespace', async () => {
    await using host = await testHost();
    const script =
      'cd; mkdir l u w m; unshare -Urm sh -c "mount -t overlay -o userxattr,lowerdir=l,upperdir=u,workdir=w o m && touch m/made"; ls u';
    expect((await host.run(sh(script))).stdout).toBe('made\n');
  });

  test('the delegated cgroup can be divided by the user', async () => {
    await using host = await testHost();
    const script =
      'cg=/sys/fs/cgroup$(sed -n "s/^0:://p" /proc/self/cgroup); mkdir $cg/../sub && echo $$ > $cg/../sub/cgroup.procs && sed -n "s/^0:://p" /proc/self/cgroup';
    expect((await host.run(sh(script))).stdout).toMatch(/\/sub\n$/);
  });

  test.skipIf(!has('crun') || !canMakeImages)('crun runs a container as the user', async () => {
    await using host = await testHost();
    const image = host.fixture(await fixturePath('busybox'));
    const script = `set -e; mkdir -p b/rootfs; cd b; tar -xf ${image}; for layer in *.tar; do tar -xf $layer -C rootfs; done; crun spec --rootless
      sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"echo", "from inside"/' config.json; crun --cgroup-manager=cgroupfs run c1`;
    expect(await host.run(sh(script))).toMatchObject({ stdout: 'from inside\n', exitCode: 0 });
  });

  test('fuse and tun can be opened, or are not there', async () => {
    const probe = sh('for d in /dev/fuse /dev/net/tun; do if [ -r $d ] && [ -w $d ]; then echo yes; else ls $d; fi; done 2>&1');
    await using rich = await testHost();
    await using poor = await testHost({ without: ['fuse', 'tun'] });
    expect((await rich.run(probe)).stdout).toBe('yes\nyes\n');
    expect((await poor.run(probe)).stdout).toMatch(/cannot access '\/dev\/fuse'[^]*cannot access '\/dev\/net\/tun'/);
  });

  test('a program taken away is not found, and is still there on the machine', async () => {
    await using host = await testHost({ without: ['newuidmap', 'stat', 'subids', 'runtime-dir'] });
    const { stdout } = await host.run(
      sh('for p in newuidmap newgidmap stat ls; do command -v $p; done; wc -c < /etc/subuid; echo "${XDG_RUNTIME_DIR-none}"'),
    );
    expect(stdout).toBe('/usr/bin/ls\n0\nnone\n');
    expect(existsSync('/usr/bin/stat')).toBe(true);
  });

  test('a home can be read-only or full', async () => {
    await using readOnly = await testHost({ home: 'read-only' });
    await using small = await testHost({ home: { sizeMib: 1 } });
    expect((await readOnly.run(sh('touch ~/x'))).stderr).toContain('Read-only file system');
    expect((await small.run(sh('head -c 2000000 /dev/zero > ~/x'))).stderr).toContain('No space left');
  });

  test('orphans are reaped', async () => {
    await using host = await testHost();
    await host.run(sh('(setsid sleep 0.1 &) ; (sleep 0.1 &)'));
    await expect.poll(() => host.processes()).toEqual([]);
  });

  test.skipIf(!canRunSystemd)('a real systemd --user runs units', async () => {
    await using host = await testHost({ systemd: true });
    expect((await host.run(['systemd-run', '--user', '--wait', '--pipe', '--quiet', 'echo', 'as a unit'])).stdout).toBe('as a unit\n');
  });

  test.skipIf(!canRunJournal)('a real systemd-journald takes what the user says, and shows it to him alone', async () => {
    await using host = await testHost({ journal: true });
    await host.run(sh("printf 'MESSAGE=said\\nSIGN=x\\n' | logger --journald"));
    const read = ['journalctl', '--quiet', '--output=cat', 'SIGN=x'];
    await expect.poll(async () => (await host.run(read)).stdout).toBe('said\n');
    const another = ['setpriv', '--reuid=3333', '--regid=3333', '--clear-groups', '--', ...read];
    expect(await host.asRoot(another)).toMatchObject({ stdout: '', exitCode: 1 });
  });

  test('files written for the user belong to the user', async () => {
    await using host = await testHost();
    await host.writeFile(`${host.user.home}/.config/containers/registries.conf`, 'x');
    expect((await host.run(sh('stat -c %U .config .config/containers .config/containers/*'))).stdout).toBe('tester\ntester\ntester\n');
  });
});

describe.skipIf(!canShapeHosts)('what a test leaves behind', () => {
  test('a process is reported', async () => {
    await using host = await testHost({ allowLeaks: true });
    await host.run(sh('setsid sleep 300 >/dev/null 2>&1 &'));
    expect(await host.leaks(200)).toEqual([expect.stringMatching(/^process \d+: sleep 300$/)]);
  });

  test('a mount in the namespace of a process is reported', async () => {
    await using host = await testHost({ allowLeaks: true });
    const script = `mkdir -p ${host.store}/containers/c; unshare -Urm sh -c 'mount -t tmpfs none ${host.store}/containers/c; exec setsid sleep 300' >/dev/null 2>&1 &`;
    await host.run(sh(script));
    expect(await host.leaks(200)).toContain(`mount ${host.store}/containers/c`);
  });

  test('a staging file is reported', async () => {
    await using host = await testHost({ allowLeaks: true });
    await mkdir(host.path(`${host.store}/tmp`), { recursive: true });
    await writeFile(host.path(`${host.store}/tmp/layer`), '');
    expect(await host.leaks(200)).toEqual([`file ${host.store}/tmp/layer`]);
  });

  test('disposing fails the test for a leak, and still ends and removes everything', async () => {
    const host = await testHost();
    await host.run(sh('setsid sleep 31536000 >/dev/null 2>&1 &'));
    await expect(host[Symbol.asyncDispose]()).rejects.toThrow(/left behind[^]*sleep 31536000/);
    expect(tracesOf(host)).toEqual([]);
  });

  test('a clean host leaves no process, directory or cgroup on the machine', async () => {
    const host = await testHost();
    await host.run(['true']);
    expect(tracesOf(host)).not.toEqual([]);
    await host[Symbol.asyncDispose]();
    expect(tracesOf(host)).toEqual([]);
  });
});

describe.skipIf(!canRunRegistry || !canMakeImages)('registry', () => {
  test.each([false, true])('fixtures can be pushed to it (https and password: %s)', async (secure) => {
    await using host = await testHost();
    const registry = await startRegistry(host, { secure });
    const image = await builtFixture('layered');
    await pushFixture(image, registry, 'team/layered', 'v1');
    expect(
      existsSync(
        host.path(`/tmp/registry-${registry.name.split(':')[1]}/data/docker/registry/v2/repositories/team/layered/_manifests/tags/v1`),
      ),
    ).toBe(true);
  });
});

/** Everything on the machine that a host of this worker could have left. */
/** What there is of the host on the machine. Others come and go meanwhile: files of tests run side by side. */
function tracesOf({ name }: TestHost): readonly string[] {
  const unified = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup'].find((path) => existsSync(`${path}/cgroup.controllers`));
  const cgroups = unified === undefined ? [] : readdirSync(unified);
  const processes = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('31536000');
    } catch {
      return false;
    }
  });
  return [...[...readdirSync(hostsDirectory()), ...cgroups].filter((entry) => entry === name), ...processes];
}
