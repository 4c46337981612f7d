/** What depends on an OCI runtime, on one that is nobody's default here: runc where it is installed, else the one that the suite was told to use. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { findProgram } from '../../host/search.ts';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, sh } from '../host/loaded.ts';
import { canBridge } from '../host/netavark.ts';

const RUNTIME = process.env['LICHEN_TEST_RUNTIME'] || findProgram('runc');
const isRunc = RUNTIME?.endsWith('/runc') === true;

let host: TestHost;

function run(flags: readonly string[], script: string): Promise<string> {
  return host.succeed(['run', '--rm', ...flags, BUSYBOX, ...sh(script)]);
}

async function start(name: string, ...flags: readonly string[]): Promise<void> {
  await host.succeed(['run', '--detach', `--name=${name}`, '--stop-timeout=0', ...flags, BUSYBOX, 'sleep', '1000']);
}

describe.skipIf(!canRunContainers || RUNTIME === undefined)(`containers of ${RUNTIME}`, () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { env: { LICHEN_RUNTIME: RUNTIME } });
    const { home } = host.user;
    await host.run(['chmod', '711', home, `${home}/.local`, `${home}/.local/share`]);
    expect(await host.succeed(['info', '--format={{.Host.OCIRuntime.Name}}'])).toBe(RUNTIME!.slice(RUNTIME!.lastIndexOf('/') + 1));
  });
  afterEach(async () => {
    await host.succeed(['pod', 'rm', '--all', '--force', '--time=0']);
    await host.succeed(['rm', '--all', '--force', '--time=0']);
    await host.succeed(['network', 'prune', '--force']);
    await host.succeed(['volume', 'rm', '--all', '--force']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test.each([
    ['host', '0'],
    ['keep-id', '2000'],
    ['keep-id:uid=1000,gid=1001', '1000'],
    ['auto:size=3000', '0'],
    ['nomap', '0'],
  ])('--userns %s, whatever the network', async (users, uid) => {
    const facts =
      'id -u; stat -c %u:%g / /etc/hosts; test -d /sys/class/net && ls /proc/self/ns | grep -c user; mkdir /sys/x 2>/dev/null || echo closed';
    for (const network of ['none', 'pasta'])
      expect(await run([`--userns=${users}`, `--network=${network}`, '--add-host=x:1.2.3.4'], facts), network).toBe(
        `${uid}\n0:0\n0:0\n1\nclosed`,
      );
  });

  test('networks: none, the host’s, pasta, another container’s, a bridge', async () => {
    const interfaces = 'ls /sys/class/net | tr "\\n" " "';
    expect(await run(['--network=none'], interfaces)).toBe('lo ');
    expect(await run(['--network=host'], interfaces)).toBe((await host.run(sh(interfaces))).stdout);
    expect(await run(['--network=pasta:-I,up7'], interfaces)).toBe('lo up7 ');
    await start('owner', '--network=pasta:-I,up8');
    expect(await run(['--network=container:owner'], interfaces)).toBe('lo up8 ');
    if (!canBridge) return;
    await host.succeed(['network', 'create', '--subnet=10.77.0.0/24', 'lan']);
    expect(await run(['--network=lan'], 'ip -o -4 addr show eth0')).toContain('10.77.0.2/24');
  });

  test('exec: where, as whom, with what, and how it ends', async () => {
    await start('c', '--network=none');
    const script = 'pwd; id -u; echo $A; echo err >&2; exit 7';
    expect(await host.lichen(['exec', '-w=/tmp', '-u=1000', '-e=A=b', 'c', ...sh(script)])).toMatchObject({
      exitCode: 7,
      stdout: '/tmp\n1000\nb\n',
      stderr: expect.stringMatching(/^err\n/),
    });
    expect((await host.lichen(['exec', '-i', 'c', 'cat'], { input: 'typed' })).stdout).toBe('typed');
    for (const [command, exitCode, said] of [
      ['nosuch', 127, /attempted to invoke a command that was not found\n$/],
      ['/etc/passwd', 126, /OCI permission denied\n$/],
    ] as const)
      expect(await host.lichen(['exec', 'c', command])).toMatchObject({ exitCode, stderr: expect.stringMatching(said) });
  });

  test('a command that is not there, or may not be run, says so', async () => {
    const words = ['run', '--rm', '--network=none', BUSYBOX];
    expect(await host.lichen([...words, 'nosuch'])).toMatchObject({ exitCode: 127, stderr: expect.stringMatching(/^Error: .*nosuch/) });
    expect(await host.lichen([...words, '/etc/passwd'])).toMatchObject({
      exitCode: 126,
      stderr: expect.stringMatching(/^Error: .*denied/i),
    });
  });

  test('one that ends at once has ended well, every time', async () => {
    for (let count = 0; count < 15; count++) {
      expect(await host.lichen(['run', '--rm', '--network=none', BUSYBOX, ...sh(`exit ${count}`)])).toMatchObject({
        exitCode: count,
        stderr: '',
      });
    }
  });

  test.each([[], ['--userns=keep-id'], ['--userns=auto:size=2500'], ['--userns=nomap', '--network=none']])('pods %s', async (...users) => {
    await host.succeed(['pod', 'create', '--name=p', ...users]);
    if (isRunc && users.length === 1) {
      expect(await host.lichen(['create', '--pod=p', BUSYBOX])).toMatchObject({
        exitCode: 125,
        stderr: expect.stringMatching(
          /^Error: runc cannot enter the user namespace of another container and a network beside it\nOther runtimes can: /,
        ),
      });
      return;
    }
    await start('a', '--pod=p');
    await start('b', '--pod=p');
    await host.succeed(['exec', '--detach', 'a', ...sh('echo there | nc -l -p 8080')]);
    const ask = 'until nc 127.0.0.1 8080 </dev/null; do sleep 0.1; done; stat -c %u:%g / /etc/hosts; hostname';
    expect(await host.succeed(['exec', 'b', ...sh(ask)])).toBe('there\n0:0\n0:0\np');
    await host.succeed(['pod', 'restart', 'p']);
    expect(await host.succeed(['exec', 'a', ...sh('id -u; readlink /proc/self/ns/net')])).toBe(
      await host.succeed(['exec', 'b', ...sh('id -u; readlink /proc/self/ns/net')]),
    );
    await host.succeed(['pod', 'stop', '--time=0', 'p']);
    expect(await host.succeed(['pod', 'ps', '--format={{.Status}}'])).toBe('Exited');
  });

  test('a root for reading only, mounts of every kind, and a view of a directory', async () => {
    await host.run(sh('mkdir -p /tmp/bound && echo outside > /tmp/bound/file'));
    const flags = ['--network=none', '--read-only', '--tmpfs=/scratch:size=1m', '--volume=kept:/kept', '--volume=/tmp/bound:/bound:ro'];
    const script =
      'touch /x 2>/dev/null || echo closed; echo a > /scratch/a; echo b > /kept/b; cat /bound/file; touch /bound/x 2>/dev/null || echo closed';
    expect(await run(flags, script)).toBe('closed\noutside\nclosed');
    expect(await run(['--network=none', '--volume=kept:/kept:ro'], 'cat /kept/b')).toBe('b');
    const image = ['--mount', `type=image,source=${BUSYBOX},target=/image`];
    expect(await run(['--network=none', ...image, '--device=/dev/null:/dev/nothing'], 'ls -d /image/bin /dev/nothing')).toBe(
      '/dev/nothing\n/image/bin',
    );
    const words = ['run', '--rm', '--network=none', '--rootfs', '/:O', ...sh('touch /made && ls /made; cat /tmp/bound/file 2>&1')];
    expect((await host.lichen(words)).stdout).toMatch(/^\/made\n/);
  });

  test('limits, capabilities and what else is set for the process', async () => {
    const flags = ['--network=none', '--ulimit=nofile=77:88', '--ulimit=core=0', '--cap-drop=all', '--cap-add=chown', '--umask=0027'];
    const script =
      'ulimit -Sn; ulimit -Hn; grep CapEff /proc/self/status | cut -f2; umask; cat /proc/self/oom_score_adj; hostname; grep -c Seccomp:.2 /proc/self/status';
    expect(await run([...flags, '--oom-score-adj=500', '--hostname=named', '--security-opt=no-new-privileges'], script)).toBe(
      '77\n88\n0000000000000001\n0027\n500\nnamed\n1',
    );
    expect(
      await run(
        ['--network=none', '--sysctl=kernel.msgmax=9000', '--shm-size=1m'],
        'cat /proc/sys/kernel/msgmax; df -k /dev/shm | tail -n 1',
      ),
    ).toMatch(/^9000\n.* 1024 /);
    expect(
      await run(['--network=none', '--privileged'], 'grep CapEff /proc/self/status | cut -f2; mount -t tmpfs x /tmp && echo mounted'),
    ).toMatch(/f{8}\nmounted$/);
  });

  test('paused, changed, killed, stopped and started again; checkpoints are refused', async () => {
    await start('c', '--network=none');
    const status = () => host.succeed(['inspect', '--format={{.State.Status}}', 'c']);
    await host.succeed(['pause', 'c']);
    expect(await status()).toBe('paused');
    expect((await host.lichen(['exec', 'c', 'true'])).exitCode).toBe(255);
    await host.succeed(['unpause', 'c']);
    expect(await status()).toBe('running');
    const controllers = await host.readFile('/sys/fs/cgroup/cgroup.controllers');
    const updated = await host.lichen(['update', '--pids-limit=50', 'c']);
    if (controllers.includes('pids')) expect(updated.exitCode).toBe(0);
    else expect(updated).toMatchObject({ exitCode: 125, stderr: expect.stringMatching(/^Error: --pids-limit cannot be applied/) });
    await host.succeed(['kill', 'c']);
    expect(await host.succeed(['wait', 'c'])).toBe('137');
    await host.succeed(['start', 'c']);
    await host.succeed(['restart', 'c']);
    expect(await host.succeed(['top', 'c', 'args'])).toContain('sleep 1000');
    expect(await host.lichen(['container', 'checkpoint', 'c'])).toMatchObject({ exitCode: 125, stderr: expect.stringContaining('root') });
    await host.succeed(['stop', 'c']);
    expect(await status()).toBe('exited');
    await host.succeed(['init', 'c']);
    expect(await status()).toBe('initialized');
    await host.succeed(['start', 'c']);
    expect(await status()).toBe('running');
  });

  test('a terminal is one inside', async () => {
    const words = ['run', '--rm', '--interactive', '--tty', '--network=none', BUSYBOX, ...sh('stty size; tty')];
    const { stdout } = await host.lichen(words, { tty: { rows: 31, columns: 97 } });
    expect(stdout).toContain('31 97\r\n/dev/pts/0\r\n');
  });
});

test.skipIf(!canRunContainers || findProgram('runc') === undefined)(
  'where runc is all there is, lichen’s own runtime does what runc cannot: members of a pod with ids of its own',
  async () => {
    await using bare = await loadedHost(['busybox'], { without: ['crun'], env: { LICHEN_RUNTIME: undefined } });
    await bare.succeed(['pod', 'create', '--name=p', '--userns=keep-id']);
    await bare.succeed(['create', '--pod=p', '--name=m', BUSYBOX, ...sh('id -u; stat -c %u / /etc/hosts')]);
    expect(await bare.succeed(['start', '--attach', 'm'])).toBe('2000\n0\n0');
    const infra = await bare.succeed(['pod', 'inspect', '--format={{.InfraContainerID}}', 'p']);
    expect(await bare.succeed(['inspect', '--format={{.OCIRuntime}}', infra, 'm'])).toBe('runc\nembedded');
    await bare.succeed(['pod', 'rm', '--force', '--time=0', 'p']);
  },
);
