/** Health checks: by hand, by themselves, what follows from them; and that nothing of them outlives its container. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { MONITOR } from '../host/makes.ts';

let host: TestHost;

interface Health {
  readonly Status: string;
  readonly FailingStreak: number;
  readonly Log: readonly { readonly ExitCode: number; readonly Output: string }[] | null;
}

/** Checked only when asked, unless the flags say more. */
const start = (name: string, flags: readonly string[], command: readonly string[] = ['sleep', '600']) =>
  host.succeed(['run', '-d', `--name=${name}`, '--network=none', '--health-interval=disable', ...flags, BUSYBOX, ...command]);
const check = (name: string) => host.lichen(['healthcheck', 'run', name]);
const healthOf = async (name: string) => JSON.parse(await host.succeed(['inspect', '-f', '{{json .State.Health}}', name])) as Health;
const statusOf = (name: string) => host.succeed(['ps', '-a', '--filter', `name=^${name}$`, '--format', '{{.Status}}']);
const loops = () => host.processes().filter(({ command }) => command.includes('health-lo'));

/** Until it holds; a test ends by its own limit. */
async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await holds())) await sleep(50);
}

describe.skipIf(!canRunContainers)('health checks', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox']);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('by hand: words, exit status and state are Podman’s', async () => {
    await start('h', ['--health-cmd=echo out; echo err >&2; test -f /ok', '--health-retries=2']);
    expect(await healthOf('h')).toEqual({ Status: 'starting', FailingStreak: 0, Log: null });
    expect(await check('h')).toMatchObject({ stdout: 'unhealthy\n', stderr: '', exitCode: 1 });
    expect(await healthOf('h')).toMatchObject({ Status: 'starting', FailingStreak: 1, Log: [{ ExitCode: 1, Output: 'out\nerr\n' }] });
    await check('h');
    expect(await healthOf('h')).toMatchObject({ Status: 'unhealthy', FailingStreak: 2 });
    expect(await statusOf('h')).toMatch(/^Up .* \(unhealthy\)$/);
    expect(await host.succeed(['ps', '--filter', 'health=unhealthy', '--format', '{{.Names}}'])).toBe('h');
    expect(await host.succeed(['ps', '-q', '--filter', 'health=healthy'])).toBe('');
    expect(await host.succeed(['wait', '--condition=unhealthy', 'h'])).toBe('-1');
    await host.succeed(['exec', 'h', 'touch', '/ok']);
    expect(await check('h')).toMatchObject({ stdout: '', exitCode: 0 });
    expect(await statusOf('h')).toMatch(/^Up .* \(healthy\)$/);
    expect(await host.succeed(['wait', '--condition=healthy', 'h'])).toBe('-1');
    const events = await host.succeed(['events', '--stream=false', '--filter', 'event=health_status', '--filter', 'container=h']);
    expect(events.split('\n').map((line) => /health_status=\w+, health_failing_streak=\d/.exec(line)?.[0])).toEqual([
      'health_status=starting, health_failing_streak=1',
      'health_status=unhealthy, health_failing_streak=2',
      'health_status=healthy, health_failing_streak=0',
    ]);
    await host.succeed(['pause', 'h']);
    expect(await check('h')).toMatchObject({
      exitCode: 125,
      stderr: expect.stringMatching(/^Error: container \w{64} is not running\n$/) as string,
    });
    await host.succeed(['unpause', 'h']);
    await host.succeed(['stop', '-t0', 'h']);
    expect(await statusOf('h')).toMatch(/^Exited \(137\) .* \(reset\)$/);
    await host.succeed(['start', 'h']);
    expect(await healthOf('h')).toEqual({ Status: 'starting', FailingStreak: 0, Log: null });
    await removeNow(host, 'h');
  });

  test('update changes the checks of a running container, which follow at once', async () => {
    await start('u', ['--health-cmd=false', '--health-interval=1h', '--health-retries=1']);
    await until(async () => (await healthOf('u')).Status === 'unhealthy');
    await host.succeed(['update', '--health-cmd=echo new', '--health-timeout=9s', 'u']);
    await until(async () => (await healthOf('u')).Status === 'healthy');
    expect((await healthOf('u')).Log?.at(-1)).toMatchObject({ ExitCode: 0, Output: 'new\n' });
    expect(JSON.parse(await host.succeed(['inspect', '-f', '{{json .Config.Healthcheck}}', 'u']))).toEqual({
      Test: ['CMD-SHELL', 'echo new'],
      Interval: 3_600_000_000_000,
      Timeout: 9_000_000_000,
      Retries: 1,
    });
    await host.succeed(['update', '--health-interval=1s', '--health-max-log-count=2', '--health-on-failure=stop', 'u']);
    await host.succeed(['exec', 'u', 'true']);
    await until(async () => (await healthOf('u')).Log?.length === 2);
    await host.succeed(['update', '--health-cmd=false', 'u']);
    expect(await host.succeed(['wait', 'u'])).toBe('137');
    await until(() => loops().length === 0);
    await removeNow(host, 'u');
  });

  test('a container that was started without a check can be given one, and lose it again', async () => {
    await host.succeed(['run', '-d', '--name=u', '--network=none', BUSYBOX, 'sleep', '600']);
    await host.succeed(['update', '--health-cmd=echo late', '--health-interval=1s', 'u']);
    await until(async () => (await healthOf('u')).Status === 'healthy' && loops().length > 0);
    await host.succeed(['update', '--health-startup-cmd=test -f /ok', '--health-startup-interval=1s', 'u']);
    await until(async () => (await healthOf('u')).Log?.at(-1)?.ExitCode === 1);
    await host.succeed(['exec', 'u', 'touch', '/ok']);
    await until(async () => (await healthOf('u')).Log?.at(-1)?.Output === 'late\n');
    await host.succeed(['update', '--no-healthcheck', 'u']);
    await until(() => loops().length === 0);
    expect(await check('u')).toMatchObject({ exitCode: 125 });
    await host.succeed(['update', '--health-cmd=true', '--health-interval=1s', 'u']);
    await until(() => loops().length > 0);
    await host.succeed(['kill', 'u']);
    await until(() => loops().length === 0);
    await removeNow(host, 'u');
  });

  test('update says what cannot be changed, and changes nothing then', async () => {
    await host.succeed(['create', '--name=u', BUSYBOX, 'true']);
    const refused = async (flags: readonly string[], message: string): Promise<void> =>
      expect(await host.lichen(['update', ...flags, 'u'])).toMatchObject({ exitCode: 125, stdout: '', stderr: `Error: ${message}\n` });
    await refused(['--health-interval=5s'], 'startup healthcheck command is not set');
    await refused(['--health-startup-interval=5s'], 'startup healthcheck command is not set');
    await refused(['--no-healthcheck', '--health-cmd=x'], 'cannot specify both --no-healthcheck and other HealthCheck flags');
    await refused(['--health-cmd=true', '--health-timeout=0'], 'healthcheck-timeout must be at least 1 second');
    await refused(['--health-cmd=true', '--health-interval=foo'], 'invalid healthcheck-interval: time: invalid duration "foo"');
    await refused(
      ['--health-on-failure=foo'],
      'invalid on-failure action "foo" for health check: supported actions are none,kill,restart,stop',
    );
    await refused(
      ['--health-log-destination=/nosuch'],
      "HealthCheck Log '/nosuch' destination error: stat /nosuch: no such file or directory",
    );
    expect(await host.succeed(['inspect', '-f', '{{json .Config.Healthcheck}}', 'u'])).toBe('null');
    await removeNow(host, 'u');
  });

  test('what cannot be checked is said', async () => {
    const id = await start('none', ['--no-healthcheck']);
    expect(await check('none')).toMatchObject({ exitCode: 125, stderr: `Error: container ${id} has no defined healthcheck\n` });
    expect(await host.lichen(['wait', '--condition=healthy', 'none'])).toMatchObject({
      exitCode: 125,
      stderr: `Error: cannot use condition "healthy": container ${id} has no healthcheck\n`,
    });
    expect(await check('nosuch')).toMatchObject({
      exitCode: 125,
      stderr: 'Error: unable to look up nosuch to perform a health check: no container with name or ID "nosuch" found: no such container\n',
    });
    expect(await host.lichen(['healthcheck', 'run'])).toMatchObject({ exitCode: 125, stderr: 'Error: accepts 1 arg(s), received 0\n' });
    await removeNow(host, 'none');
    const refused: readonly (readonly [readonly string[], string])[] = [
      [['--health-on-failure=kill'], 'cannot set on-failure action to kill without a health check'],
      [['--health-startup-cmd=x'], 'cannot set a startup healthcheck when there is no regular healthcheck: invalid argument'],
      [
        ['--health-cmd=x', '--health-log-destination=/absent'],
        "running container create option: HealthCheck Log '/absent' destination error: stat /absent: no such file or directory",
      ],
      [
        ['--health-cmd=x', '--health-log-destination=/etc/passwd'],
        "running container create option: HealthCheck Log '/etc/passwd' destination must be directory",
      ],
      [['--health-cmd=x', '--health-timeout=0'], 'healthcheck-timeout must be at least 1 second'],
    ];
    for (const [flags, message] of refused) {
      expect(await host.lichen(['create', ...flags, BUSYBOX, 'true'])).toMatchObject({ exitCode: 125, stderr: `Error: ${message}\n` });
    }
  });

  test('inspect shows what was asked for', async () => {
    await host.succeed([
      'create',
      '--name=c',
      '--health-cmd=y',
      '--health-startup-cmd=x',
      '--health-startup-success=2',
      '--health-startup-retries=4',
      '--health-on-failure=restart',
      '--health-max-log-count=7',
      '--health-max-log-size=9',
      BUSYBOX,
      'true',
    ]);
    const [{ Config }] = JSON.parse(await host.succeed(['inspect', 'c'])) as [{ Config: Record<string, unknown> }];
    expect(Config).toMatchObject({
      StartupHealthCheck: { Test: ['CMD-SHELL', 'x'], Interval: 3e10, Timeout: 3e10, Retries: 4, Successes: 2 },
      Healthcheck: { Test: ['CMD-SHELL', 'y'], Interval: 3e10, Timeout: 3e10, Retries: 3 },
      HealthcheckOnFailureAction: 'restart',
      HealthLogDestination: 'local',
      HealthcheckMaxLogCount: 7,
      HealthcheckMaxLogSize: 9,
    });
    await removeNow(host, 'c');
  });

  test('I07: a check that never ends is killed with its children, endless output is cut, a missing command is a failure', async () => {
    await start('slow', ['--health-cmd=sleep 601 & sleep 602; true', '--health-timeout=1s', '--health-retries=1']);
    expect(await check('slow')).toMatchObject({ exitCode: 125, stderr: 'Error: healthcheck command exceeded timeout of 1s\n' });
    expect(await healthOf('slow')).toMatchObject({ Status: 'unhealthy', FailingStreak: 1, Log: [{ ExitCode: 125, Output: '' }] });
    // Their pid 1 is a sleep, which does not collect them.
    expect(await host.succeed(['top', 'slow', 'args'])).not.toMatch(/sleep 60[12]/);
    await start('loud', ['--health-cmd=yes', '--health-timeout=1s']);
    expect((await check('loud')).exitCode).toBe(125);
    await start('long', ['--health-cmd=yes | head -c 2000', '--health-max-log-size=10']);
    expect((await check('long')).exitCode).toBe(0);
    expect((await healthOf('long')).Log?.[0]?.Output).toBe('y\ny\ny\ny\ny\n');
    await start('absent', ['--health-cmd=["CMD","/nosuch"]']);
    expect(await check('absent')).toMatchObject({ exitCode: 1, stdout: 'unhealthy\n', stderr: '' });
    await start('left', ['--health-cmd=sleep 603 & echo done']);
    expect((await check('left')).exitCode).toBe(0);
    expect((await healthOf('left')).Log?.[0]?.Output).toBe('done\n');
    await removeNow(host, 'slow', 'loud', 'long', 'absent', 'left');
  });

  test.each([
    ['kill', /^Exited \(137\) .* \(unhealthy\)$/],
    ['stop', /^Exited \(3\) .* \(unhealthy\)$/],
    ['restart', /^Up .* \(starting\)$/],
  ])('--health-on-failure %s', async (action, status) => {
    await start(
      'f',
      ['--health-cmd=false', '--health-retries=1', `--health-on-failure=${action}`],
      sh('trap "exit 3" TERM; sleep 600 & wait'),
    );
    expect(await check('f')).toMatchObject({ stdout: 'unhealthy\n', exitCode: 1 });
    await until(async () => status.test(await statusOf('f')));
    expect(await host.succeed(['inspect', '-f', '{{.RestartCount}}', 'f'])).toBe(action === 'restart' ? '1' : '0');
    await removeNow(host, 'f');
  });

  test('startup checks run first and restart a container that does not come up', async () => {
    await start('s', [
      '--health-cmd=true',
      '--health-startup-cmd=test -f /up',
      '--health-startup-interval=disable',
      '--health-startup-retries=2',
    ]);
    expect(await check('s')).toMatchObject({ stdout: 'starting\n', exitCode: 1 });
    expect((await check('s')).exitCode).toBe(1);
    expect(await host.succeed(['inspect', '-f', '{{.RestartCount}} {{.State.Status}}', 's'])).toBe('1 running');
    await host.succeed(['exec', 's', 'touch', '/up']);
    expect((await check('s')).exitCode).toBe(0);
    expect(await healthOf('s')).toMatchObject({ Status: 'healthy' });
    await removeNow(host, 's');
  });

  test('a log directory gets a file that tells all', async () => {
    await host.run(['mkdir', '-p', '/tmp/health']);
    const id = await start('l', ['--health-cmd=true', '--health-log-destination=/tmp/health']);
    await check('l');
    expect(JSON.parse(await host.readFile(`/tmp/health/${id}-healthcheck.log`))).toMatchObject({
      Status: 'healthy',
      FailingStreak: 0,
      Log: [{ ExitCode: 0, Output: '' }],
    });
    await removeNow(host, 'l');
  });

  describe('by themselves', () => {
    const scheduled = (name: string, ...flags: readonly string[]) => start(name, ['--health-interval=1s', ...flags]);

    test('checks go on without a lichen, across a pause, and end with the container', async () => {
      await scheduled('a', '--health-cmd=test -f /ok', '--health-retries=1');
      await host.succeed(['wait', '--condition=unhealthy', 'a']);
      await host.succeed(['exec', 'a', 'touch', '/ok']);
      await host.succeed(['wait', '--condition=healthy', 'a']);
      expect(loops().length).toBeGreaterThan(0);
      const others = host.processes().filter(({ command }) => !command.includes('healthcheck') && !MONITOR.test(command));
      expect(others.filter(({ command }) => /node/.test(command))).toEqual([]);
      await removeNow(host, 'a');
      await until(() => loops().length === 0);
    });

    test('they end when the container ends by itself, and begin again with it', async () => {
      await start('b', ['--health-interval=1h', '--health-cmd=true'], ['sleep', '2']);
      await host.succeed(['wait', '--condition=healthy', 'b']);
      await host.succeed(['wait', 'b']);
      await until(() => loops().length === 0);
      expect(await statusOf('b')).toMatch(/^Exited \(0\) .* \(healthy\)$/);
      await host.succeed(['start', 'b']);
      await host.succeed(['wait', '--condition=healthy', 'b']);
      await removeNow(host, 'b');
      await until(() => loops().length === 0);
    });

    test('they end at once when monitor and container are killed', async () => {
      await start('k', ['--health-interval=1h', '--health-cmd=true']);
      await host.succeed(['wait', '--condition=healthy', 'k']);
      const [pid, monitor] = (await host.succeed(['inspect', '-f', '{{.State.Pid}} {{.State.ConmonPid}}', 'k'])).split(' ');
      await host.asRoot(['kill', '-9', monitor!, pid!]);
      await until(() => loops().length === 0);
      await removeNow(host, 'k');
    });

    test('an initialized container is checked once it runs; a restarted one by one loop', async () => {
      await host.succeed(['create', '--name=i', '--network=none', '--health-interval=1h', '--health-cmd=true', BUSYBOX, 'sleep', '600']);
      await host.succeed(['init', 'i']);
      expect(loops()).toEqual([]);
      await host.succeed(['start', 'i']);
      await host.succeed(['wait', '--condition=healthy', 'i']);
      await host.succeed(['restart', '-t0', 'i']);
      await host.succeed(['wait', '--condition=healthy', 'i']);
      await until(() => loops().filter(({ command }) => command.startsWith('flock')).length === 1);
      await removeNow(host, 'i');
    });

    test('one that restarts its container leaves one loop', async () => {
      const once = 'test -f /seen || { touch /seen; false; }';
      await start('r', ['--health-interval=1s', `--health-cmd=${once}`, '--health-retries=1', '--health-on-failure=restart']);
      await host.succeed(['wait', '--condition=healthy', 'r']);
      expect(await host.succeed(['inspect', '-f', '{{.RestartCount}}', 'r'])).toBe('1');
      await until(() => loops().filter(({ command }) => command.startsWith('flock')).length === 1);
      await removeNow(host, 'r');
    });
  });
});

describe.skipIf(!canRunContainers)('restart policies', () => {
  test('start finds containers by them, as a machine that comes up does', async () => {
    await using own = await loadedHost(['busybox']);
    const ids = new Map<string, string>();
    for (const [name, ...flags] of [
      ['always', '--restart=always'],
      ['unless', '--restart=unless-stopped'],
      ['retried', '--restart=on-failure:3'],
      ['plain'],
    ] as const) {
      ids.set(name, await own.succeed(['create', `--name=${name}`, '--network=none', ...flags, BUSYBOX, 'sleep', '600']));
    }
    const found = (filter: string) => own.succeed(['ps', '-a', '--filter', filter, '--format', '{{.Names}}']);
    expect(await found('restart-policy=always')).toBe('always');
    expect(await found('restart-policy=on-failure')).toBe('retried');
    expect(await found('restart-policy=none')).toBe('plain');
    expect(await own.lichen(['ps', '-a', '--filter', 'restart-policy=on-failure:3'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: on-failure:3 invalid restart policy\n',
    });
    expect(await own.lichen(['start', '--filter', 'restart-policy=foo'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: foo invalid restart policy\n',
    });
    expect(await own.succeed(['start', '--all', '--filter', 'restart-policy=always'])).toBe(ids.get('always'));
    expect(await own.succeed(['start', '--filter', 'restart-policy=unless-stopped'])).toBe(ids.get('unless'));
    expect(await found('should-start-on-boot=true')).toBe('always\nunless');
    await own.succeed(['stop', '-t0', '--service', 'always', 'unless', 'retried']);
    expect(await own.succeed(['ps', '-q'])).toBe('');
    expect(await found('should-start-on-boot=true')).toBe('always\nunless');
    await own.succeed(['start', 'always', 'unless']);
    await own.succeed(['stop', '-t0', 'always', 'unless']);
    expect(await found('should-start-on-boot=true')).toBe('always');
    expect((await own.lichen(['stop', '--service', 'absent'])).stderr).toBe(
      'Error: no container with name or ID "absent" found: no such container\n',
    );
    await removeNow(own, ...ids.keys());
  });
});
