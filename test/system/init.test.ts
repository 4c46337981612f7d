/** `--init` where no init program is installed: lichen brings one along. */
import { statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canShapeHosts, type TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

const INIT = ['run', '--rm', '--init', '--network', 'none'];

let host: TestHost;

describe.skipIf(!canRunContainers || !canShapeHosts)('--init without an init program on the machine', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { without: ['catatonit', 'tini', 'docker-init'] });
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('the command is a child of pid 1, in a group of its own, with no signal blocked; fifty orphans are reaped', async () => {
    const script = [
      'tr "\\0" " " < /proc/1/cmdline; echo',
      'echo $$ $(cut -d " " -f 5 /proc/self/stat)',
      'grep SigBlk /proc/self/status',
      'for i in $(seq 50); do (sleep 0.2 &) ; done',
      'sleep 0.6; grep -l "^State:.Z" /proc/[0-9]*/status | wc -l',
    ];
    const [command, ids, mask, zombies] = (await host.succeed([...INIT, BUSYBOX, ...sh(script.join('; '))])).split('\n');
    expect([command, ids, mask, zombies]).toEqual([
      expect.stringMatching(/^\/run\/podman-init -- sh -c /),
      '2 2',
      'SigBlk:\t0000000000000000',
      '0',
    ]);
    expect(statSync(host.path(`${host.store}/init`)).size).toBeLessThan(1000);
  });

  test('exit statuses are those of the command, and one line says why it was not run', async () => {
    for (const [command, exitCode, stderr] of [
      [sh('exit 7'), 7, ''],
      [sh('kill -9 $$'), 137, ''],
      [sh('kill -15 $$'), 143, ''],
      [['nosuch'], 127, 'init: nosuch: not found\n'],
      [['/nosuch/file'], 127, 'init: /nosuch/file: not found\n'],
      [['/etc/passwd'], 126, 'init: /etc/passwd: cannot be executed\n'],
    ] as const)
      expect(await host.lichen([...INIT, BUSYBOX, ...command])).toMatchObject({ exitCode, stderr, stdout: '' });
    // The search goes along PATH: past what is not there, past what cannot be run, and an empty entry is the working directory.
    const path = ['--env', 'PATH=/nosuch:/etc:/etc/passwd:', '--workdir', '/bin'];
    expect(await host.succeed([...INIT, ...path, BUSYBOX, 'echo', 'found'])).toBe('found');
    expect(await host.lichen([...INIT, '--env', 'PATH=/nosuch:/etc', BUSYBOX, 'passwd'])).toMatchObject({ exitCode: 126 });
    expect(await host.lichen([...INIT, '--unsetenv-all', '--env', 'PATH', '--entrypoint', '', BUSYBOX, 'nosuch'])).toMatchObject({
      exitCode: 127,
    });
  });

  test('signals are passed on, and stop ends what handles SIGTERM at once', async () => {
    const script = 'trap "echo usr1" USR1; trap "echo hup" HUP; trap "echo end; exit 5" TERM; echo ready; while :; do sleep 0.05; done';
    await host.succeed(['run', '--detach', '--init', '--network', 'none', '--name', 'signals', BUSYBOX, ...sh(script)]);
    const logs = () => host.succeed(['logs', 'signals']);
    await expect.poll(logs).toBe('ready');
    await host.succeed(['kill', '--signal', 'USR1', 'signals']);
    await expect.poll(logs).toBe('ready\nusr1');
    await host.succeed(['kill', '--signal', 'TSTP', 'signals']);
    await expect.poll(() => host.succeed(['exec', 'signals', 'grep', 'State', '/proc/2/status'])).toBe('State:\tT (stopped)');
    await host.succeed(['kill', '--signal', 'CONT', 'signals']);
    await host.succeed(['kill', '--signal', 'HUP', 'signals']);
    await expect.poll(logs).toBe('ready\nusr1\nhup');
    await host.succeed(['stop', '--time', '60', 'signals']);
    expect(await logs()).toBe('ready\nusr1\nhup\nend');
    expect(await host.succeed(['inspect', '--format', '{{.State.ExitCode}} {{.HostConfig.Init}}', 'signals'])).toBe('5 true');
    await removeNow(host, 'signals');
  });

  test('standard input and a terminal are those of the command', async () => {
    expect(await host.succeed([...INIT, '--interactive', BUSYBOX, 'cat'], { input: 'through\n' })).toBe('through');
    const script = 'read line; echo "got $line"; cut -d " " -f 5,8 /proc/self/stat';
    const { stdout, exitCode } = await host.lichen([...INIT, '--interactive', '--tty', BUSYBOX, ...sh(script)], {
      tty: true,
      input: 'typed\n',
    });
    // The group of the reader is that of the terminal's foreground.
    expect(stdout.replaceAll('\r', '')).toContain('got typed\n2 2\n');
    expect(exitCode).toBe(0);
  });

  test('users of the image and user namespaces of the container can run it; so can settings ask for it', async () => {
    const { home } = host.user;
    // For crun before 1.9.
    await host.run(['chmod', '711', home, `${home}/.local`, `${home}/.local/share`]);
    for (const flags of [
      ['--user', '1000'],
      ['--userns', 'keep-id'],
      ['--userns', 'auto'],
      ['--read-only', '--cap-drop', 'all'],
    ])
      expect(await host.succeed([...INIT, ...flags, BUSYBOX, ...sh('echo $$')])).toBe('2');
    await host.writeFile('/tmp/containers.conf', '[containers]\ninit = true\n');
    const env = { CONTAINERS_CONF: '/tmp/containers.conf' };
    expect(await host.succeed(['run', '--rm', '--network', 'none', BUSYBOX, ...sh('echo $$')], { env })).toBe('2');
    await host.writeFile('/tmp/containers.conf', '[containers]\ninit = true\ninit_path = "/nosuch/init"\n');
    expect(await host.lichen(['run', '--rm', '--network', 'none', BUSYBOX, 'true'], { env })).toMatchObject({
      exitCode: 125,
      stderr: 'Error: container-init binary not found on the host: faccessat /nosuch/init: no such file or directory\n',
    });
  });
});
