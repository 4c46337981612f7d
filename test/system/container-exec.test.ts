/** `exec`: a further process in a running container, in front of the caller, on a terminal, in the background. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const TARGET = 'target';

function exec(...words: readonly string[]) {
  return host.lichen(['exec', ...words]);
}

describe.skipIf(!canRunContainers)('exec', () => {
  beforeAll(async () => {
    host = await loadedHost();
    await host.succeed(['run', '-d', '--name', TARGET, '--network', 'none', '-e', 'FROM_RUN=1', BUSYBOX, 'sleep', '1000']);
    await host.succeed(['create', '--name', 'resting', BUSYBOX, 'true']);
  });
  afterAll(async () => {
    await removeNow(host, TARGET, 'resting');
    await host[Symbol.asyncDispose]();
  });

  test('streams stay apart and the exit status is the command’s', async () => {
    expect(await exec(TARGET, ...sh('echo out; echo err >&2; exit 42'))).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 42 });
    expect(await exec(TARGET, ...sh('kill -9 $$'))).toMatchObject({ exitCode: 137 });
  });

  test('stdin is passed on with -i only', async () => {
    expect((await host.lichen(['exec', '-i', TARGET, 'cat'], { input: 'words\n' })).stdout).toBe('words\n');
    expect((await host.lichen(['exec', TARGET, 'cat'], { input: 'words\n' })).stdout).toBe('');
  });

  test('4 MB pass both ways unharmed', async () => {
    const input = Buffer.alloc(4_000_000, 'a\0b\xff\n');
    const { stdoutBytes } = await host.lichen(['exec', '-i', TARGET, 'cat'], { input });
    expect(stdoutBytes.equals(input)).toBe(true);
  });

  test('environment, files of variables, working directory and user are those asked for', async () => {
    await host.writeFile(`${host.user.home}/vars`, '# none\nFROM_FILE=a b\nCALLER\n');
    const { stdout } = await host.lichen(
      [
        'exec',
        '--env-file',
        'vars',
        '-e',
        'FROM_FLAG=2',
        '-w',
        '/tmp',
        '-u',
        'worker',
        TARGET,
        ...sh('pwd; id -un; echo "$FROM_RUN|$FROM_FILE|$FROM_FLAG|$CALLER|$HOME"'),
      ],
      { env: { CALLER: 'mine' } },
    );
    expect(stdout).toBe('/tmp\nworker\n1|a b|2|mine|/home/worker\n');
  });

  test('--privileged gives all capabilities of the caller', async () => {
    const effective = async (...flags: string[]) =>
      BigInt(`0x${(await exec(...flags, TARGET, ...sh('grep CapEff /proc/self/status'))).stdout.split('\t')[1]!.trim()}`);
    const [plain, privileged] = [await effective(), await effective('--privileged')];
    expect(privileged & plain).toBe(plain);
    expect(privileged).toBeGreaterThan(plain);
  });

  test.each([
    {
      words: [TARGET, 'nosuchcmd'],
      exitCode: 127,
      stderr:
        /^Error: (crun|runc|embedded): executable file `nosuchcmd` not found in \$PATH: No such file or directory: OCI runtime attempted to invoke a command that was not found\n$/,
    },
    { words: [TARGET, '/no/such'], exitCode: 127, stderr: /^Error: (crun|runc|embedded): executable file `\/no\/such` not found: / },
    {
      words: [TARGET, '/etc/passwd'],
      exitCode: 126,
      stderr:
        /^Error: (crun|runc|embedded): the path `\/etc\/passwd` exists but it is not executable: Operation not permitted: OCI permission denied\n$/,
    },
    {
      words: ['-w', '/no/such', TARGET, 'true'],
      exitCode: 127,
      stderr: /^Error: (crun|runc|embedded): chdir to `\/no\/such`: No such file or directory: /,
    },
    {
      words: ['-u', 'nobodyhere', TARGET, 'true'],
      exitCode: 255,
      stderr: /^Error: unable to find user nobodyhere: no matching entries in passwd file\n$/,
    },
    {
      words: ['resting', 'true'],
      exitCode: 255,
      stderr: /^Error: can only create exec sessions on running containers: container state improper\n$/,
    },
    { words: ['nosuch', 'true'], exitCode: 125, stderr: /^Error: no container with name or ID "nosuch" found: no such container\n$/ },
    { words: [TARGET], exitCode: 125, stderr: /^Error: must provide a non-empty command to start an exec session: invalid argument\n$/ },
    {
      words: ['--env-file', '/no/such', TARGET, 'env'],
      exitCode: 125,
      stderr: /^Error: parsing file "\/no\/such": open \/no\/such: no such file or directory\n$/,
    },
    {
      words: ['--preserve-fds', '1', TARGET, 'true'],
      exitCode: 125,
      stderr: /^Error: file descriptor 3 is not available - the preserve-fds option requires that file descriptors must be passed\n$/,
    },
    { words: ['-d', TARGET, 'nosuchcmd'], exitCode: 125, stderr: /executable file `nosuchcmd` not found in \$PATH/ },
    { words: ['--detach-keys', 'foo', TARGET, 'true'], exitCode: 255, stderr: /^Error: invalid detach keys: Unknown character: 'foo'\n$/ },
  ])('$words ends with $exitCode', async ({ words, exitCode, stderr }) => {
    const result = await exec(...words);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(stderr);
  });

  test('a command given by a relative path is found from the working directory', async () => {
    expect((await exec('-w', '/bin', TARGET, './busybox', 'echo', 'here')).stdout).toBe('here\n');
    expect((await exec(TARGET, 'bin/busybox', 'echo', 'there')).stdout).toBe('there\n');
  });

  test('between descriptors of --preserve-fd nothing of ours is open', async () => {
    const links = 'for fd in 4 5 6; do readlink /proc/self/fd/$fd; done';
    const { stdout } = await host.run(sh(`exec 7<<'end'\nseven\nend\nlichen exec --preserve-fd 7 ${TARGET} sh -c 'cat <&7; ${links}'`));
    expect(stdout).toBe('seven\n/dev/null\n/dev/null\n/dev/null\n');
  });

  test('with a terminal and in the background, through a monitor, descriptors are handed on as well', async () => {
    const open = `exec 4<<'end'\nfour\nend\n`;
    const terminal = await host.run(sh(`${open}lichen exec -t --preserve-fd 4 ${TARGET} sh -c 'cat <&4; ls /proc/self/fd | wc -l'`));
    // Its three, that one, the one below it that is /dev/null, and the directory that is listed.
    expect(terminal).toMatchObject({ stdout: 'four\r\n6\r\n', exitCode: 0 });
    await host.run(sh(`${open}lichen exec -d --preserve-fd 4 ${TARGET} sh -c 'cat <&4 > /tmp/handed.new; mv /tmp/handed.new /tmp/handed'`));
    expect(await host.succeed(['exec', TARGET, ...sh('until [ -e /tmp/handed ]; do sleep 0.05; done; cat /tmp/handed')])).toBe('four');
  });

  test('descriptors are handed on with --preserve-fds', async () => {
    const script = `exec 3<<'end'\nthrough three\nend\nlichen exec --preserve-fds 1 ${TARGET} sh -c 'cat <&3'`;
    expect((await host.run(['bash', '-c', script])).stdout).toBe('through three\n');
  });

  test('a signal to the command line reaches the command inside', async () => {
    await using running = host.spawnLichen([
      'exec',
      TARGET,
      ...sh('trap "echo caught; exit 6" TERM; echo up; while :; do sleep 0.05; done'),
    ]);
    await running.waitForOutput(/up/);
    running.signal('SIGTERM');
    expect(await running.finish()).toMatchObject({ stdout: 'up\ncaught\n', exitCode: 6 });
  });

  test('-d prints the id of the session and leaves it running', async () => {
    const id = await host.succeed(['exec', '-d', TARGET, ...sh('echo done > /tmp/detached; exec sleep 999')]);
    expect(id).toMatch(/^[0-9a-f]{64}$/);
    await expect.poll(async () => (await exec(TARGET, 'cat', '/tmp/detached')).stdout).toBe('done\n');
    expect(await host.succeed(['inspect', '-f', '{{.ExecIDs}}', TARGET])).toBe(`[${id}]`);
    await exec(TARGET, 'killall', 'sleep');
    await expect.poll(() => host.succeed(['inspect', '-f', '{{.ExecIDs}}', TARGET])).toBe('[]');
  });

  test('with -t it has a terminal of the caller’s size that follows it', async () => {
    await using running = host.spawnLichen(['exec', '-it', TARGET, 'sh'], { tty: { rows: 31, columns: 97 } });
    running.write('stty size; tty; echo "$TERM" end\n');
    await running.waitForOutput(/31 97\r\n\/dev\/pts\/\d+\r\nxterm end\r\n/);
    running.write('exit 8\n');
    expect((await running.finish()).exitCode).toBe(8);
  });

  test('the detach keys leave the session running and end the command line with 0', async () => {
    await using running = host.spawnLichen(['exec', '-it', '--detach-keys', 'ctrl-a,q', TARGET, ...sh('echo up; exec sleep 555')], {
      tty: true,
    });
    await running.waitForOutput(/up/);
    running.write('\x01q');
    expect((await running.finish(10_000)).exitCode).toBe(0);
    expect(await host.succeed(['top', TARGET, 'args'])).toMatch(/sleep 555/);
    await exec(TARGET, 'killall', 'sleep');
    await expect.poll(() => host.succeed(['top', TARGET, 'args'])).not.toMatch(/sleep 555/);
  });
});
