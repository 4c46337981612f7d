/** Streams, signals and exit statuses of `run`, as a script that calls it sees them. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const RUN = ['run', '--rm', '--network', 'none'] as const;

/** Every byte value, in an order that no line or packet boundary repeats. */
function noise(sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes);
  let state = 1;
  for (let at = 0; at < sizeBytes; at += 4) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes.writeInt32LE(state, at);
  }
  return bytes;
}

function digest(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

describe.skipIf(!canRunContainers)('the streams of a container', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('stdout and stderr stay apart', async () => {
    const { stdout, stderr, exitCode } = await host.lichen([...RUN, BUSYBOX, ...sh('echo data; echo talk >&2; exit 42')]);
    expect({ stdout, stderr, exitCode }).toEqual({ stdout: 'data\n', stderr: 'talk\n', exitCode: 42 });
  });

  test('10 MB pass byte for byte in and out', async () => {
    const input = noise(10_000_000);
    const { stdoutBytes, stderr, exitCode } = await host.lichen([...RUN, '-i', BUSYBOX, 'cat'], { input });
    expect({ exitCode, stderr, size: stdoutBytes.length }).toEqual({ exitCode: 0, stderr: '', size: input.length });
    expect(digest(stdoutBytes)).toBe(digest(input));
  });

  test('10 MB arrive inside byte for byte, and 10 MB of stderr come out', async () => {
    const input = noise(10_000_000);
    const inside = await host.lichen([...RUN, '-i', BUSYBOX, 'sha256sum'], { input });
    expect(inside.stdout).toBe(`${digest(input)}  -\n`);
    const { stderr, stdout } = await host.lichen([...RUN, BUSYBOX, ...sh('yes 123456789 | head -n 1000000 >&2; echo end')]);
    expect({ size: stderr.length, stdout }).toEqual({ size: 10_000_000, stdout: 'end\n' });
  });

  test('without -i stdin is empty, with it its end is passed on', async () => {
    expect((await host.lichen([...RUN, BUSYBOX, 'wc', '-c'], { input: 'not for you' })).stdout).toBe('0\n');
    expect((await host.lichen([...RUN, '-i', BUSYBOX, 'wc', '-c'], { input: 'for you' })).stdout).toBe('7\n');
  });

  test('a container that reads none or a part of its input ends when it wants', async () => {
    const input = noise(4_000_000);
    expect(await host.lichen([...RUN, '-i', BUSYBOX, 'true'], { input })).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await host.lichen([...RUN, '-i', BUSYBOX, 'head', '-c', '3'], { input })).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('descriptors are handed on with --preserve-fds and --preserve-fd, and nothing between them', async () => {
    const start = "exec 3<<'end' 7<<'end'\nthree\nend\nseven\nend\nlichen run --rm --network=none";
    const { stdout } = await host.run(sh(`${start} --preserve-fds 1 ${BUSYBOX} sh -c 'cat <&3; ls /proc/self/fd'`));
    expect(stdout).toBe('three\n0\n1\n2\n3\n4\n');
    const links = 'for fd in 4 5 6; do readlink /proc/self/fd/$fd; done; ls /proc/self/fd | tail -n 1';
    const some = await host.run(sh(`${start} --preserve-fd 3,7 ${BUSYBOX} sh -c 'cat <&3; cat <&7; ${links}'`));
    expect(some.stdout).toBe('three\nseven\n/dev/null\n/dev/null\n/dev/null\n8\n');
    // Also where the namespaces are made on the way.
    await host.succeed(['system', 'migrate']);
    expect((await host.run(sh(`${start} --preserve-fds 1 ${BUSYBOX} sh -c 'cat <&3'`))).stdout).toBe('three\n');
    await host.succeed(['system', 'migrate']);
    expect((await host.run(sh(`${start} --preserve-fd=3,7 ${BUSYBOX} sh -c 'cat <&3; cat <&7'`))).stdout).toBe('three\nseven\n');
    for (const [flags, words] of [
      [['--preserve-fds=1', '--preserve-fd=7'], 'cannot specify both --preserve-fds and --preserve-fd'],
      [['--preserve-fd=99'], 'file descriptor 99 is not available - the preserve-fd option requires that file descriptors must be passed'],
      [['--preserve-fd=2'], 'cannot preserve FD 2, consider using the passthrough log-driver'],
    ] as const) {
      expect(await host.lichen(['run', '--rm', '--network=none', ...flags, BUSYBOX, 'true'])).toMatchObject({
        exitCode: 125,
        stderr: expect.stringContaining(words),
      });
    }
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });

  test('--attach chooses the streams', async () => {
    const script = sh('echo data; echo talk >&2; cat');
    expect(await host.lichen([...RUN, '-a', 'stderr', BUSYBOX, ...script])).toMatchObject({ stdout: '', stderr: 'talk\n' });
    expect(await host.lichen([...RUN, '-i', '-a', 'STDOUT', '-a', 'stdin', BUSYBOX, ...script], { input: 'in' })).toMatchObject({
      stdout: 'data\nin',
      stderr: '',
    });
    expect(await host.lichen([...RUN, '-a', 'nothing', BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: invalid stream "nothing" for --attach - must be one of stdin, stdout, or stderr: invalid argument\n',
    });
  });

  test('--log-driver json-file writes the lines of Docker, which logs shows as it shows others', async () => {
    const run = (...words: readonly string[]) => ['run', '--network=none', '--log-driver=json-file', ...words];
    const script = sh('echo "quoted \\"word\\""; echo talk >&2; printf "\\377 no end"');
    await host.succeed(run('--name=json', BUSYBOX, ...script));
    expect(await host.succeed(['inspect', '-f', '{{.HostConfig.LogConfig.Type}}', 'json'])).toBe('json-file');
    expect(await host.lichen(['logs', 'json'])).toMatchObject({ stdout: 'quoted "word"\n\ufffd no end', stderr: 'talk\n' });
    const path = await host.succeed(['inspect', '-f', '{{.HostConfig.LogConfig.Path}}', 'json']);
    const lines = (await host.readFile(path)).trimEnd().split('\n');
    const records = lines.map((line) => JSON.parse(line) as Record<string, string>);
    expect(records.map(({ log, stream }) => [log, stream])).toEqual(
      expect.arrayContaining([
        ['quoted "word"\n', 'stdout'],
        ['talk\n', 'stderr'],
        ['\ufffd no end', 'stdout'],
      ]),
    );
    for (const { time } of records) expect(time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$/);
    const last = await host.lichen(['logs', '--tail=1', '-t', 'json']);
    expect(last.stdout + last.stderr).toMatch(/^\S+Z .+/);
    await host.succeed(['start', '-a', 'json']);
    expect((await host.lichen(['logs', 'json'])).stderr).toBe('talk\ntalk\n');
    await host.succeed(['rm', 'json']);

    expect(await host.lichen(run('--name=json', '--log-opt=path=/no/such/file', BUSYBOX, 'true'))).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('open /no/such/file: no such file or directory'),
    });
    await host.succeed(['rm', '--ignore', 'json']);
  });

  test('--log-driver json-file: output can be followed, and a killed writer beside conmon stops no container', async () => {
    const writers = () => host.processes().filter(({ command }) => command.includes('json-log-main'));
    const script = sh(
      'read -r go; echo first; read -r go; i=0; while [ $i -lt 5000 ]; do i=$((i+1)); echo $i; done; echo >&2; read -r go; exit 7',
    );
    const run = ['--conmon=conmon', 'run', '-i', '--name=json', '--network=none', '--log-driver=json-file', BUSYBOX, ...script];
    await using running = host.spawnLichen(run);
    await expect.poll(() => host.lichen(['container', 'exists', 'json']).then(({ exitCode }) => exitCode)).toBe(0);
    await expect.poll(() => host.succeed(['inspect', '-f', '{{.State.Running}}', 'json'])).toBe('true');
    await using following = host.spawnLichen(['logs', '-f', 'json']);
    running.write('go\n');
    await following.waitForOutput(/first/);
    expect(writers()).toHaveLength(1);
    for (const { pid } of writers()) await host.run(['kill', '-KILL', String(pid)]);
    await expect.poll(writers).toEqual([]);
    running.write('go\n');
    await running.waitForOutput(/\n5000\n/);
    running.write('go\n');
    expect((await running.finish()).exitCode).toBe(7);
    expect((await following.finish()).stdout).toBe('first\n');
    await host.succeed(['rm', 'json']);
  });

  test('--log-driver passthrough gives the container the streams of the caller', async () => {
    const flags = ['--network=none', '--log-driver=passthrough'];
    const argv = ['run', '--rm', ...flags, BUSYBOX, ...sh('cat; echo err >&2; exit 3')];
    expect(await host.lichen(argv, { input: 'typed' })).toMatchObject({ stdout: 'typed', stderr: 'err\n', exitCode: 3 });
    const detached = '/opt/lichen/bin/lichen run -d --name=passing --network=none --log-driver=passthrough';
    await host.run(sh(`${detached} ${BUSYBOX} sh -c 'echo started; exec sleep 600' </dev/null >/tmp/passing 2>&1`));
    await expect.poll(() => host.readFile('/tmp/passing')).toBe('started\n');
    const why = (what: string) =>
      `this container is using the 'passthrough' log driver, cannot ${what}: this container is not logging output\n`;
    expect(await host.lichen(['logs', 'passing'])).toMatchObject({ stdout: '', stderr: `Error: ${why('read logs')}`, exitCode: 125 });
    const id = await host.succeed(['inspect', '-f', '{{.Id}}', 'passing']);
    expect(await host.lichen(['attach', 'passing'])).toMatchObject({
      stderr: `Error: attaching to container ${id}: ${why('attach')}`,
      exitCode: 125,
    });
    expect(await host.succeed(['inspect', '-f', '{{json .HostConfig.LogConfig}}', 'passing'])).toBe(
      '{"Type":"passthrough","Config":null,"Path":"","Tag":"","Size":"-1B"}',
    );
    await removeNow(host, 'passing');
  });

  test('with --log-driver passthrough neither run -d nor create print more than the container', async () => {
    const flags = ['--network=none', '--log-driver=passthrough', '--name=quiet', BUSYBOX];
    expect(await host.succeed(['create', ...flags, 'echo', 'from inside'])).toBe('');
    expect(await host.succeed(['start', 'quiet'])).toMatch(/^(from inside\nquiet|quiet\nfrom inside)$/);
    expect(await host.succeed(['start', '--attach', 'quiet'])).toBe('from inside');
    await removeNow(host, 'quiet');
  });

  test('a terminal is passed through only by the name that says so', async () => {
    const run = (driver: string) =>
      host.lichen(['run', '--rm', '--network=none', '--log-driver', driver, BUSYBOX, ...sh('[ -t 1 ] && echo a terminal')], { tty: true });
    expect(await run('passthrough')).toMatchObject({
      stdout: expect.stringContaining(
        "the '--log-driver passthrough' option cannot be used on a TTY.  If you really want it, use '--log-driver passthrough-tty'",
      ),
      exitCode: 125,
    });
    // conmon itself refuses it up to some version.
    const { stdout, exitCode } = await run('passthrough-tty');
    expect(stdout).toMatch(exitCode === 0 ? /^a terminal\r\n$/ : /cannot use a tty with passthrough logging mode/);
  });

  test('--log-driver k8s-file keeps the output, none does not, --log-opt says where', async () => {
    await host.succeed(['run', '--name=kept', '--network=none', BUSYBOX, ...sh('echo one; echo two >&2')]);
    expect(await host.lichen(['logs', 'kept'])).toMatchObject({ stdout: 'one\n', stderr: 'two\n' });
    await host.succeed(['run', '--name=unkept', '--network=none', '--log-driver=none', BUSYBOX, 'echo', 'seen']);
    expect(await host.lichen(['logs', 'unkept'])).toMatchObject({ exitCode: 125, stdout: '' });
    await host.succeed(['run', '--name=elsewhere', '--network=none', '--log-opt=path=/tmp/elsewhere.log', BUSYBOX, 'echo', 'there']);
    expect(await host.readFile('/tmp/elsewhere.log')).toMatch(/^\S+ stdout F there\n$/);
    await removeNow(host, 'kept', 'unkept', 'elsewhere');
    expect(await host.lichen([...RUN, '--log-driver=paper', BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: running container create option: invalid log driver: invalid argument\n',
    });
  });
});

describe.skipIf(!canRunContainers)('exit statuses and signals', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('125 is lichen’s, 126 and 127 say that the command cannot be run or found, others are the command’s', async () => {
    const status = async (...args: readonly string[]) => (await host.lichen([...RUN, ...args])).exitCode;
    expect(await status('--no-such-flag', BUSYBOX)).toBe(125);
    expect(await status(BUSYBOX, '/etc/passwd')).toBe(126);
    expect(await status(BUSYBOX, '/etc')).toBe(126);
    expect(await status(BUSYBOX, 'no-such-command')).toBe(127);
    expect(await status('-d', BUSYBOX, 'no-such-command')).toBe(127);
    expect(await status(BUSYBOX, ...sh('exit 255'))).toBe(255);
    expect(await status('--pid=host', BUSYBOX, ...sh('kill -9 $$'))).toBe(137);
    // --rm holds for those that could not be started, too.
    expect(await host.succeed(['ps', '--all', '--quiet'])).toBe('');
  });

  test.each([
    { signal: 'SIGTERM', status: 143 },
    { signal: 'SIGINT', status: 130 },
    { signal: 'SIGHUP', status: 129 },
    { signal: 'SIGUSR1', status: 138 },
    { signal: 'SIGQUIT', status: 131 },
  ] as const)('$signal is passed on: a container that dies of it gives $status', async ({ signal, status }) => {
    // Pid 1 of a pid namespace ignores what it does not catch; in the host's it is a process like any other.
    await using running = host.spawnLichen([...RUN, '--pid=host', BUSYBOX, ...sh('echo up; exec sleep 60')]);
    await running.waitForOutput(/up/);
    // The shell itself would ignore SIGQUIT.
    await expect.poll(() => host.processes().some(({ command }) => command === 'sleep 60')).toBe(true);
    running.signal(signal);
    expect((await running.finish(20_000)).exitCode).toBe(status);
  });

  test('a container that catches the signal decides itself', async () => {
    await using running = host.spawnLichen([
      ...RUN,
      BUSYBOX,
      ...sh('trap "echo caught; exit 7" TERM; echo up; while :; do sleep 0.05; done'),
    ]);
    await running.waitForOutput(/up/);
    running.signal('SIGTERM');
    expect(await running.finish(20_000)).toMatchObject({ stdout: 'up\ncaught\n', exitCode: 7 });
  });

  test('with --sig-proxy=false the command line dies alone', async () => {
    await using running = host.spawnLichen([
      'run',
      '--name=alone',
      '--network=none',
      '--sig-proxy=false',
      BUSYBOX,
      ...sh('trap "exit 7" TERM; echo up; while :; do sleep 0.05; done'),
    ]);
    await running.waitForOutput(/up/);
    running.signal('SIGTERM');
    expect((await running.finish(20_000)).exitCode).toBe(143);
    expect(await host.succeed(['inspect', '--format', '{{.State.Status}}', 'alone'])).toBe('running');
    await removeNow(host, 'alone');
  });

  test('--timeout kills', async () => {
    expect(await host.lichen([...RUN, '--timeout', '1', BUSYBOX, 'sleep', '30'])).toMatchObject({ exitCode: 255, stdout: '' });
  });

  test('--stop-signal and --stop-timeout are used by stop', async () => {
    const trap = sh('trap "echo usr1; exit 3" USR1; trap "" TERM; echo up; while :; do sleep 0.05; done');
    await host.succeed(['run', '-d', '--name=polite', '--network=none', '--stop-signal=USR1', '--stop-timeout=20', BUSYBOX, ...trap]);
    await host.succeed(['stop', 'polite']);
    expect(await host.succeed(['wait', 'polite'])).toBe('3');
    await host.succeed(['run', '-d', '--name=stubborn', '--network=none', '--stop-timeout=0', BUSYBOX, ...trap]);
    await host.succeed(['stop', 'stubborn']);
    expect(await host.succeed(['wait', 'stubborn'])).toBe('137');
    await removeNow(host, 'polite', 'stubborn');
  });
});
