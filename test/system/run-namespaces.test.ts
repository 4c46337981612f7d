/** `--pid`, `--ipc`, `--uts`, `--cgroupns`, and the limits and cgroups of a container. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canShapeHosts, testHost, type TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;

function run(flags: readonly string[], script: string): Promise<string> {
  return host.succeed(['run', '--rm', '--network=none', ...flags, BUSYBOX, ...sh(script)]);
}

function fail(...flags: readonly string[]) {
  return host.lichen(['run', '--rm', '--network=none', ...flags, BUSYBOX, 'true']);
}

async function namespacesOutside(...kinds: readonly string[]): Promise<string> {
  const { stdout } = await host.run(['readlink', ...kinds.map((kind) => `/proc/self/ns/${kind}`)]);
  return stdout.trim();
}

describe.skipIf(!canRunContainers)('namespaces', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('pid: private, host, and that of another container', async () => {
    expect(await run([], 'echo $$; ls /proc | grep -c "^[0-9]"')).toMatch(/^1\n[1-4]$/);
    expect(await run(['--pid=host'], 'readlink /proc/self/ns/pid')).toBe(await namespacesOutside('pid'));
    await host.succeed(['run', '-d', '--network=none', '--name=other', BUSYBOX, 'sleep', '600']);
    expect(await run(['--pid=container:other'], 'tr "\\0" " " < /proc/1/cmdline')).toBe('sleep 600 ');
    expect(await fail('--pid=container:nobody')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('no container with name or ID "nobody" found'),
    });
    await removeNow(host, 'other');
  });

  test('ipc: private, host, none, and that of another container with its /dev/shm', async () => {
    await host.succeed(['run', '-d', '--network=none', '--name=other', BUSYBOX, ...sh('echo seen > /dev/shm/file; exec sleep 600')]);
    expect(await run(['--ipc=container:other'], 'cat /dev/shm/file')).toBe('seen');
    await removeNow(host, 'other');
    expect(await run(['--ipc=host'], 'readlink /proc/self/ns/ipc')).toBe(await namespacesOutside('ipc'));
    expect(await run(['--ipc=private'], 'ls -A /dev/shm | wc -l; readlink /proc/self/ns/ipc')).not.toContain(
      await namespacesOutside('ipc'),
    );
    expect(await run(['--ipc=none'], 'test -d /dev/shm && echo there || echo gone')).toBe('gone');
    expect(await fail('--ipc=host', '--shm-size=1m')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringContaining('cannot set shmsize'),
    });
  });

  test('uts: private, host, and that of another container', async () => {
    const { stdout: hostname } = await host.run(['uname', '-n']);
    expect(await run(['--uts=host'], 'hostname; readlink /proc/self/ns/uts')).toBe(`${hostname}${await namespacesOutside('uts')}`);
    await host.succeed(['run', '-d', '--network=none', '--name=other', '-h', 'of-other', BUSYBOX, 'sleep', '600']);
    expect(await run(['--uts=container:other'], 'hostname; echo $HOSTNAME')).toBe('of-other\nof-other');
    await removeNow(host, 'other');
    expect(await fail('--uts=host', '-h', 'x')).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('cannot set hostname') });
  });

  test('cgroup: private shows its own as the root, host the whole path', async () => {
    expect(await run(['--cgroupns=private'], 'sed -n s/^0:://p /proc/self/cgroup; ls /sys/fs/cgroup/cgroup.procs')).toBe(
      '/\n/sys/fs/cgroup/cgroup.procs',
    );
    expect(await run(['--cgroupns=host'], 'sed -n s/^0:://p /proc/self/cgroup')).toMatch(/^\/.+/);
    await host.succeed(['run', '-d', '--network=none', '--name=other', BUSYBOX, 'sleep', '600']);
    const of = await host.succeed(['exec', 'other', 'readlink', '/proc/self/ns/cgroup']);
    expect(await run(['--cgroupns=container:other'], 'readlink /proc/self/ns/cgroup')).toBe(of);
    await removeNow(host, 'other');
  });

  test('a mode nobody knows is refused', async () => {
    for (const kind of ['userns', 'pid', 'uts', 'ipc', 'cgroupns'])
      expect(await fail(`--${kind}=nonsense`)).toMatchObject({
        exitCode: 125,
        stderr: 'Error: unrecognized namespace mode nonsense passed\n',
      });
  });
});

describe.skipIf(!canRunContainers)('limits', () => {
  const controllers = delegatedControllers();

  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test.each([
    { flag: '--memory=64m', controller: 'memory' },
    { flag: '--memory-reservation=32m', controller: 'memory' },
    { flag: '--cpus=0.5', controller: 'cpu' },
    { flag: '--cpu-shares=512', controller: 'cpu' },
    { flag: '--cpuset-cpus=0', controller: 'cpuset' },
    { flag: '--pids-limit=50', controller: 'pids' },
  ])('$flag holds, or is refused naming the controller that is not delegated', async ({ flag, controller }) => {
    const { exitCode, stderr } = await fail(flag);
    if (controllers.includes(controller)) expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    else {
      expect(exitCode).toBe(126);
      expect(stderr).toContain(`${flag.split('=')[0]} cannot be applied: the cgroup controller ${controller} is not available`);
      expect(stderr).toContain('Delegate');
    }
  });

  test.skipIf(!controllers.includes('memory') || !controllers.includes('pids'))('limits are what the container’s cgroup says', async () => {
    expect(await run(['--memory=64m', '--cpus=0.5', '--pids-limit=50'], 'cd /sys/fs/cgroup; cat memory.max cpu.max pids.max')).toBe(
      '67108864\n50000 100000\n50',
    );
    expect(await run([], 'cat /sys/fs/cgroup/pids.max')).toBe('2048');
  });

  test('without controllers the default limit of processes is left out without a word; --pids-limit=-1 asks for none', async () => {
    expect(await fail()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await fail('--pids-limit=-1')).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await fail('--cgroups=disabled')).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test.skipIf(!canShapeHosts)('a machine without cgroup2 runs containers all the same', async () => {
    await using poor = await testHost({ without: ['cgroup2'] });
    await poor.run(sh('mkdir -p root/bin && cp "$(command -v busybox)" root/bin/echo'));
    expect(await poor.lichen(['run', '--rm', '--network=none', '--rootfs', 'root', '/bin/echo', 'up'])).toMatchObject({
      stdout: 'up\n',
      stderr: '',
      exitCode: 0,
    });
  });
});

/** What the cgroup2 root of this machine can hand down; test hosts have their cgroup right below it. */
function delegatedControllers(): readonly string[] {
  const root = ['/sys/fs/cgroup', '/sys/fs/cgroup/unified'].find((path) => existsSync(`${path}/cgroup.subtree_control`));
  return root === undefined ? [] : readFileSync(`${root}/cgroup.subtree_control`, 'utf8').trim().split(' ').filter(Boolean);
}
