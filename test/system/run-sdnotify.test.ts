/** `--sdnotify`: who tells a service manager that a container is ready, heard at a real socket and by a real systemd. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RunningCommand, TestHost } from '../host/host.ts';
import { canRunSystemd } from '../host/systemd.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
let manager: RunningCommand;
const SOCKET = '/tmp/manager.sock';
const NAME = 'service';
const LONG = { timeout: 20_000 };

/** Prints each message on a line of its own, its newlines as `;`. */
const LISTENER = `use Socket; $| = 1; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; bind(S, sockaddr_un('${SOCKET}')) or die;
  print "listening\\n"; while (defined recv(S, my $message, 4096, 0)) { $message =~ s/\\n/;/g; print "$message\\n" }`;

/** What a process of the container does, with the directory as the host has it. */
const SENDER = `use Socket; chdir($ARGV[0]) or die; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; send(S, qq(MAINPID=1\\nSTATUS=up\\nREADY=1), 0, sockaddr_un('notify.sock')) or die "$!"`;

function run(mode: readonly string[], script: string, options: readonly string[] = []): Promise<string> {
  return host.succeed(['run', '-d', '--name', NAME, '--network', 'none', ...mode, ...options, BUSYBOX, ...sh(script)], {
    env: { NOTIFY_SOCKET: SOCKET },
  });
}

async function monitorPid(): Promise<string> {
  return host.succeed(['inspect', '-f', '{{.State.ConmonPid}}', NAME]);
}

const LOOK = 'echo "socket=$NOTIFY_SOCKET"; ls /run/notify; exec sleep 1000';

async function logged(text: string): Promise<void> {
  await expect.poll(async () => (await host.lichen(['logs', NAME])).stdout).toBe(text);
}

describe.skipIf(!canRunContainers)('--sdnotify', () => {
  beforeAll(async () => {
    host = await loadedHost();
    manager = host.spawn(['perl', '-e', LISTENER]);
    await manager.waitForOutput(/listening/);
  });
  afterEach(() => removeNow(host, NAME));
  afterAll(() => host[Symbol.asyncDispose]());

  test('conmon: ready as soon as it runs, and the container knows nothing of it', async () => {
    await run(['--sdnotify', 'conmon'], LOOK);
    await manager.waitForOutput(new RegExp(`MAINPID=${await monitorPid()};READY=1\\n`));
    await logged('socket=\n');
    const config = JSON.parse(await host.succeed(['inspect', '-f', '{{json .Config}}', NAME])) as object;
    expect(config).toMatchObject({ sdNotifyMode: 'conmon', sdNotifySocket: SOCKET });
  });

  test('container: it has a socket of its own, and all comes from there but which process is the main one', async () => {
    await run([], LOOK);
    await manager.waitForOutput(new RegExp(`MAINPID=${await monitorPid()}\\n`));
    await logged('socket=/run/notify/notify.sock\nnotify.sock\n');
    const id = await host.succeed(['inspect', '-f', '{{.Id}}', NAME]);
    await host.succeed(['unshare', 'perl', '-e', SENDER, `${host.runDir}/c/${id}/mailbox`]);
    await manager.waitForOutput(new RegExp(`MAINPID=${await monitorPid()}\\nSTATUS=up\\nREADY=1\\n`));
  });

  test('a container that was initialized before keeps its socket when it is started', async () => {
    await host.succeed(['create', '--name', NAME, '--network', 'none', BUSYBOX, ...sh(LOOK)], { env: { NOTIFY_SOCKET: SOCKET } });
    await host.succeed(['init', NAME]);
    await host.succeed(['start', NAME]);
    await manager.waitForOutput(new RegExp(`MAINPID=${await monitorPid()}\\n`));
    await logged('socket=/run/notify/notify.sock\nnotify.sock\n');
  });

  test('healthy: ready when the first check succeeds', async () => {
    const check = ['--health-cmd', 'test -e /tmp/up', '--health-interval', 'disable'];
    const running = host.spawnLichen(
      ['run', '-d', '--name', NAME, '--network', 'none', '--sdnotify', 'healthy', ...check, BUSYBOX, ...sh(LOOK)],
      {
        env: { NOTIFY_SOCKET: SOCKET },
      },
    );
    await expect.poll(async () => (await host.lichen(['wait', '--condition=running', NAME])).exitCode).toBe(0);
    const pid = await monitorPid();
    await manager.waitForOutput(new RegExp(`MAINPID=${pid}\\n`));
    expect((await host.lichen(['healthcheck', 'run', NAME])).exitCode).toBe(1);
    await host.succeed(['exec', NAME, 'touch', '/tmp/up']);
    expect(running.stdout).toBe('');
    await host.succeed(['healthcheck', 'run', NAME]);
    await manager.waitForOutput(new RegExp(`MAINPID=${pid}\\nREADY=1\\n`));
    await logged('socket=\n');
    expect(await running.finish()).toMatchObject({ exitCode: 0, stderr: '', stdout: expect.stringMatching(/^\w{64}\n$/) as string });
  });

  describe('healthy, without a service manager', () => {
    const healthy = (check: string) => ['--network=none', '--sdnotify=healthy', '--health-interval=1s', `--health-cmd=${check}`];
    const status = () => host.succeed(['ps', '-a', '--format', '{{.Status}}']);
    const STOPPED = { exitCode: 126, stdout: '', stderr: 'Error: container is stopped\n' };

    test('run, start, restart and clone are back when it is healthy', async () => {
      const up = sh('test -e /late && sleep 1; touch /up /late; exec sleep 1000');
      await host.succeed(['run', '-d', `--name=${NAME}`, ...healthy('test -e /up'), BUSYBOX, ...up]);
      expect(await status()).toMatch(/\(healthy\)$/);
      await host.succeed(['exec', NAME, 'rm', '/up']);
      expect(await host.succeed(['restart', '-t0', NAME])).toBe(NAME);
      expect(await status()).toMatch(/\(healthy\)$/);
      await host.succeed(['stop', '-t0', NAME]);
      expect(await host.succeed(['start', NAME])).toBe(NAME);
      expect(await status()).toMatch(/\(healthy\)$/);
      const clone = await host.succeed(['container', 'clone', '--destroy', '--force', '--run', NAME]);
      expect(await host.succeed(['inspect', '-f', '{{.State.Health.Status}}', clone])).toBe('healthy');
      await removeNow(host, clone);
    });

    test('startup checks come first', async () => {
      const startup = ['--health-startup-cmd=test -e /started', '--health-startup-interval=1s'];
      await host.succeed([
        'run',
        '-d',
        `--name=${NAME}`,
        ...healthy('true'),
        ...startup,
        BUSYBOX,
        ...sh('sleep 1; touch /started; sleep 1000'),
      ]);
      expect(await host.succeed(['exec', NAME, 'ls', '/started'])).toBe('/started');
    });

    test('one that ends before has not been started, whoever started it', async () => {
      const words = [...healthy('false'), BUSYBOX, ...sh('echo out; exit 3')];
      expect(await host.lichen(['run', '-d', `--name=${NAME}`, ...words])).toEqual(expect.objectContaining(STOPPED));
      expect(await status()).toMatch(/^Exited \(3\) .*\(starting\)$/);
      const id = await host.succeed(['inspect', '-f', '{{.Id}}', NAME]);
      const notStarted = (shownId: string) => `Error: unable to start container ${shownId}: container is stopped\n`;
      expect(await host.lichen(['start', NAME])).toMatchObject({ exitCode: 125, stdout: '', stderr: notStarted(`"${id}"`) });
      expect(await host.lichen(['start', '-a', NAME])).toMatchObject({ exitCode: 125, stdout: 'out\n', stderr: notStarted(id) });
      await removeNow(host, NAME);
      expect(await host.lichen(['run', `--name=${NAME}`, ...words])).toEqual(expect.objectContaining({ ...STOPPED, stdout: 'out\n' }));
      await removeNow(host, NAME);
      expect(await host.lichen(['run', '-d', '--rm', `--name=${NAME}`, ...words])).toEqual(expect.objectContaining(STOPPED));
    });

    test('in the foreground its own exit status counts once it was healthy', async () => {
      const script = 'echo one; while test ! -e /seen; do sleep 0.1; done; sleep 0.3; echo two; exit 3';
      const words = ['run', `--name=${NAME}`, ...healthy('touch /seen'), BUSYBOX, ...sh(script)];
      expect(await host.lichen(words)).toMatchObject({ exitCode: 3, stdout: 'one\ntwo\n', stderr: '' });
    });

    test('one that stays unhealthy is waited for until somebody stops it; ^C ends the waiting, not the container', async () => {
      const words = ['run', '-d', `--name=${NAME}`, ...healthy('false'), '--health-retries=1', BUSYBOX, 'sleep', '1000'];
      const waiting = host.spawnLichen(words);
      await expect.poll(async () => (await host.lichen(['wait', '--condition=unhealthy', NAME])).exitCode, { timeout: 10_000 }).toBe(0);
      waiting.signal('SIGINT');
      expect(await waiting.finish()).toMatchObject({ exitCode: 130, stdout: '' });
      expect(await status()).toMatch(/^Up .*\(unhealthy\)$/);
      const again = host.spawnLichen(['restart', '-t0', NAME]);
      await expect
        .poll(() => host.succeed(['inspect', '-f', '{{.State.Health.Status}} {{len .State.Health.Log}}', NAME]))
        .toBe('unhealthy 1');
      await host.succeed(['stop', '-t0', NAME]);
      expect(await again.finish()).toMatchObject({ exitCode: 125, stdout: '', stderr: 'Error: container is stopped\n' });
    });

    test('an action that kills the unhealthy container ends the waiting', async () => {
      const words = [
        'run',
        '-d',
        `--name=${NAME}`,
        ...healthy('false'),
        '--health-retries=1',
        '--health-on-failure=kill',
        BUSYBOX,
        'sleep',
        '1000',
      ];
      expect(await host.lichen(words)).toEqual(expect.objectContaining(STOPPED));
      expect(await status()).toMatch(/^Exited \(137\) .*\(unhealthy\)$/);
    });
  });

  test('ignore: nothing is told, nothing is there', async () => {
    await run(['--sdnotify', 'ignore'], LOOK);
    const pid = await monitorPid();
    await logged('socket=\n');
    await host.succeed(['rm', '-f', '-t', '0', NAME]);
    // What comes next at the socket is of the next container.
    await run(['--sdnotify', 'conmon'], LOOK);
    await manager.waitForOutput(new RegExp(`MAINPID=${await monitorPid()};READY=1\\n`));
    await manager[Symbol.asyncDispose]();
    expect((await manager.finished).stdout).not.toContain(`MAINPID=${pid}`);
  });

  test.each([
    ['maybe', 'invalid config provided: invalid argument: invalid sdnotify value "maybe": must be conmon, container, healthy or ignore'],
    ['healthy', 'invalid argument: sdnotify policy "healthy" requires a healthcheck to be set'],
  ])('--sdnotify %s is refused', async (mode, message) => {
    expect(await host.lichen(['create', '--name', NAME, '--sdnotify', mode, BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stdout: '',
      stderr: `Error: ${message}\n`,
    });
    expect((await host.lichen(['container', 'exists', NAME])).exitCode).toBe(1);
  });
});

describe.skipIf(!canRunContainers || !canRunSystemd)('--sdnotify under systemd', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
  });
  afterEach(() => removeNow(host, NAME));
  afterAll(() => host[Symbol.asyncDispose]());

  test('healthy: the unit is started when the first check has succeeded', async () => {
    const unit = ['systemd-run', '--user', '--quiet', '--no-block', '--unit', NAME, '-p', 'Type=notify', '-p', 'NotifyAccess=all'];
    const which = (await host.run(sh('command -v lichen'))).stdout.trim();
    const check = ['--sdnotify=healthy', '--health-cmd=test -e /up', '--health-interval=1s'];
    const words = [which, 'run', '-d', '--name', NAME, '--network=none', '--cgroups=no-conmon', ...check, BUSYBOX, 'sleep', '1000'];
    expect(await host.run([...unit, ...words])).toMatchObject({ exitCode: 0, stderr: '' });
    const state = async () => (await host.run(['systemctl', '--user', 'show', '-P', 'ActiveState', NAME])).stdout.trim();
    await expect.poll(async () => (await host.lichen(['wait', '--condition=running', NAME])).exitCode).toBe(0);
    expect(await state()).toBe('activating');
    await host.succeed(['exec', NAME, 'touch', '/up']);
    await expect.poll(state).toBe('active');
    expect((await host.run(['systemctl', '--user', 'show', '-P', 'MainPID', NAME])).stdout.trim()).toBe(await monitorPid());
    await removeNow(host, NAME);
    await expect.poll(state).not.toBe('active');
    await host.run(['systemctl', '--user', 'reset-failed', NAME]);
  });

  /** The container with the host's programs, of which systemd-notify waits until it was heard. With `no-conmon` its cgroup is not the service's. */
  async function begin(cgroups: string, ...properties: readonly string[]): Promise<void> {
    const which = (await host.run(sh('command -v lichen'))).stdout.trim();
    const inside = 'trap "exit 0" TERM; sleep 1000 & wait';
    const mounts = ['/usr:/usr:ro', '/usr/lib:/lib:ro', '/usr/lib64:/lib64:ro'].map((mount) => `--volume=${mount}`);
    const words = [which, 'run', '-d', `--name=${NAME}`, '--network=none', `--cgroups=${cgroups}`, ...mounts, BUSYBOX, ...sh(inside)];
    const all = ['Type=notify', 'KillMode=mixed', `ExecStopPost=${which} rm -f -i -t 0 ${NAME}`, ...properties].flatMap((word) => [
      '-p',
      word,
    ]);
    expect(await host.run(['systemd-run', '--user', '--quiet', '--no-block', `--unit=${NAME}`, ...all, ...words])).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
    await expect.poll(async () => (await host.lichen(['wait', '--condition=running', NAME])).exitCode, LONG).toBe(0);
  }
  const say = (...words: readonly string[]) =>
    host.succeed(['exec', '-u', '7', '-e', 'NOTIFY_SOCKET=/run/notify/notify.sock', NAME, 'systemd-notify', ...words]);
  const shown = async (property: string) => (await host.run(['systemctl', '--user', 'show', '-P', property, NAME])).stdout.trim();

  test('container: its watchdog, its reloads and its end are the unit’s, and the monitor stays the main process', async () => {
    const which = (await host.run(sh('command -v lichen'))).stdout.trim();
    const notify = `${which} exec -e NOTIFY_SOCKET=/run/notify/notify.sock ${NAME} systemd-notify`;
    const reload = `ExecReload=/bin/sh -c "${notify} RELOADING=1 STATUS=reloading && ${notify} --ready"`;
    await begin('no-conmon', 'NotifyAccess=all', 'WatchdogSec=1000', 'Restart=on-watchdog', reload);
    expect(await shown('ActiveState')).toBe('activating');
    expect(await host.succeed(['exec', NAME, 'sh', '-c', 'tr "\\0" "\\n" </proc/1/environ | grep WATCHDOG'])).toBe(
      'WATCHDOG_USEC=1000000000',
    );
    await say('--status=warming up', 'MAINPID=1', 'EXTEND_TIMEOUT_USEC=60000000');
    expect([await shown('StatusText'), await shown('ActiveState')]).toEqual(['warming up', 'activating']);
    await say('--ready');
    await expect.poll(() => shown('ActiveState'), LONG).toBe('active');
    const monitor = await monitorPid();
    expect(await shown('MainPID')).toBe(monitor);
    const fed = await shown('WatchdogTimestampMonotonic');
    await say('WATCHDOG=1');
    expect(await shown('WatchdogTimestampMonotonic')).not.toBe(fed);

    expect(await host.run(['systemctl', '--user', 'reload', NAME])).toMatchObject({ exitCode: 0, stderr: '' });
    await expect.poll(() => shown('ActiveState'), LONG).toBe('active');
    expect(await shown('StatusText')).toBe('reloading');
    await say('RELOADING=1');
    expect(await shown('ActiveState')).toBe('reloading');
    await say('--ready');
    await expect.poll(() => shown('ActiveState'), LONG).toBe('active');

    // What the watchdog ends, with its container, is started anew.
    const before = await host.succeed(['inspect', '-f', '{{.Id}}', NAME]);
    await say('ERRNO=5', 'WATCHDOG=trigger');
    await expect.poll(() => shown('NRestarts'), LONG).toBe('1');
    await expect.poll(async () => (await host.lichen(['wait', '--condition=running', NAME])).exitCode, LONG).toBe(0);
    expect(await host.succeed(['ps', '-a', '--no-trunc', '--format', '{{.ID}}'])).not.toContain(before);
    await say('--ready');
    await expect.poll(() => shown('ActiveState'), LONG).toBe('active');
    await say('STOPPING=1');
    expect(await shown('ActiveState')).toBe('deactivating');
    await removeNow(host, NAME);
    await expect.poll(() => shown('ActiveState'), LONG).not.toMatch(/ing$/);
    await host.run(['systemctl', '--user', 'reset-failed', NAME]);
    expect(host.processes().filter(({ command }) => command.includes('notify-main'))).toEqual([]);
  });

  test.each([
    ['main', 'no-conmon', ''],
    ['all', 'split', 'up'],
  ])('container: a unit with NotifyAccess=%s is started, and hears the rest or not (--cgroups %s)', async (access, cgroups, heard) => {
    await begin(cgroups, `NotifyAccess=${access}`, 'Delegate=yes');
    await say('--ready', '--status=up');
    await expect.poll(() => shown('ActiveState'), LONG).toBe('active');
    expect([await shown('StatusText'), await shown('MainPID')]).toEqual([heard, await monitorPid()]);
    expect(await host.run(['systemctl', '--user', 'stop', NAME])).toMatchObject({ exitCode: 0 });
    await host.run(['systemctl', '--user', 'reset-failed', NAME]);
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });

  test('a unit of Type=notify is started when the container is, and its main process is the monitor', async () => {
    const unit = ['systemd-run', '--user', '--quiet', '--unit', NAME, '-p', 'Type=notify', '-p', 'NotifyAccess=all'];
    const which = (await host.run(sh('command -v lichen'))).stdout.trim();
    const words = [which, 'run', '-d', '--name', NAME, '--network', 'none', '--sdnotify', 'conmon', BUSYBOX, 'sleep', '1000'];
    expect(await host.run([...unit, ...words])).toMatchObject({ exitCode: 0, stderr: '' });
    const { stdout } = await host.run(['systemctl', '--user', 'show', '-p', 'ActiveState', '-p', 'MainPID', NAME]);
    expect(stdout.trim().split('\n').toSorted()).toEqual(['ActiveState=active', `MainPID=${await monitorPid()}`]);
  });
});
