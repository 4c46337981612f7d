/** The verbs that move a container from one state to another, and what they say. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const OFFLINE = ['--network', 'none'] as const;
const ID = /^[0-9a-f]{64}$/;

async function status(name: string): Promise<string> {
  return host.succeed(['inspect', '-f', '{{.State.Status}}', name]);
}

async function sleeper(name: string, ...options: readonly string[]): Promise<string> {
  return host.succeed(['run', '-d', '--name', name, ...OFFLINE, ...options, BUSYBOX, 'sleep', '1000']);
}

describe.skipIf(!canRunContainers)('the life of a container', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterEach(() => host.lichen(['rm', '-a', '-f', '-t', '0']));
  afterAll(() => host[Symbol.asyncDispose]());

  test('create makes it and runs nothing, start runs it, stop and rm end it', async () => {
    const id = await host.succeed(['create', '--name', 'one', ...OFFLINE, BUSYBOX, 'sleep', '1000']);
    expect(id).toMatch(ID);
    expect(await status('one')).toBe('created');
    expect(await host.succeed(['start', 'one'])).toBe('one');
    expect(await status('one')).toBe('running');
    expect(await host.succeed(['start', 'one'])).toBe('one');
    expect(await host.succeed(['stop', '-t', '0', id.slice(0, 8)])).toBe(id.slice(0, 8));
    expect(await status('one')).toBe('exited');
    expect(await host.succeed(['stop', 'one'])).toBe('one');
    expect(await host.succeed(['rm', id])).toBe(id);
    expect(await host.lichen(['container', 'exists', 'one'])).toMatchObject({ exitCode: 1, stdout: '', stderr: '' });
  });

  test('--cidfile holds the id, names the container, and is not written twice', async () => {
    const id = await host.succeed(['create', '--cidfile', 'id', '--name', 'filed', BUSYBOX, 'true']);
    expect(await host.succeed(['container', 'exists', id])).toBe('');
    expect(await host.lichen(['create', '--cidfile', 'id', BUSYBOX, 'true'])).toMatchObject({ exitCode: 125, stdout: '' });
    expect(await host.succeed(['rm', '--cidfile', 'id'])).toBe(id);
    expect(await host.lichen(['rm', '--cidfile', 'none'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: reading CIDFile: open none: no such file or directory\n',
    });
    expect(await host.lichen(['stop', '--ignore', '--cidfile', 'none'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    await host.run(['rm', 'id']);
  });

  test('a name that is not there stops a verb before it touches the others', async () => {
    await sleeper('there');
    const missing = 'Error: no container with name or ID "not" found: no such container\n';
    for (const verb of ['stop', 'kill', 'pause', 'restart']) {
      expect(await host.lichen([verb, 'there', 'not'])).toMatchObject({ exitCode: 125, stdout: '', stderr: missing });
    }
    expect(await host.lichen(['rm', '-t', '0', 'there', 'not'])).toMatchObject({ exitCode: 125 });
    expect(await host.lichen(['rm', 'there', 'not'])).toMatchObject({
      exitCode: 1,
      stderr: 'Error: no container with ID or name "not" found: no such container\n',
    });
    expect(await status('there')).toBe('running');
    expect(await host.lichen(['stop', '--ignore', 'not'])).toMatchObject({ exitCode: 0, stdout: '', stderr: '' });
    expect(await host.lichen(['rm', '-f', '-t', '0', 'not', 'there'])).toMatchObject({ exitCode: 0, stdout: 'there\n', stderr: '' });
  });

  test('stop kills what ignores its signal after --time seconds, and says so', async () => {
    await host.succeed(['run', '-d', '--name', 'deaf', ...OFFLINE, BUSYBOX, ...sh('trap "" TERM; sleep 1000 & wait; wait')]);
    const { stdout, stderr, exitCode } = await host.lichen(['stop', '--time', '1', 'deaf']);
    expect({ stdout, exitCode }).toEqual({ stdout: 'deaf\n', exitCode: 0 });
    expect(stderr).toMatch(/level=warning msg="StopSignal SIGTERM failed to stop container deaf in 1 seconds, resorting to SIGKILL"\n$/);
    expect(await host.succeed(['wait', 'deaf'])).toBe('137');
  });

  test('stop waits for a container that handles its signal, and the exit status is its own', async () => {
    await host.succeed([
      'run',
      '-d',
      '--name',
      'polite',
      ...OFFLINE,
      BUSYBOX,
      ...sh('trap "exit 7" TERM; echo up; while :; do sleep 0.05; done'),
    ]);
    await host.succeed(['stop', 'polite']);
    expect(await host.succeed(['inspect', '-f', '{{.State.ExitCode}}', 'polite'])).toBe('7');
  });

  test('restart gives it a new process, also where it was made with --rm', async () => {
    const pid = () => host.succeed(['inspect', '-f', '{{.State.Pid}}', 'again']);
    await sleeper('again', '--rm');
    const before = await pid();
    expect(await host.succeed(['restart', '-t', '0', 'again'])).toBe('again');
    expect(await status('again')).toBe('running');
    expect(await pid()).not.toBe(before);
    await host.succeed(['stop', '-t', '0', 'again']);
    expect((await host.lichen(['container', 'exists', 'again'])).exitCode).toBe(1);
  });

  test('restart --running leaves others alone', async () => {
    await sleeper('runs');
    await host.succeed(['create', '--name', 'rests', ...OFFLINE, BUSYBOX, 'sleep', '1000']);
    expect(await host.succeed(['restart', '-a', '--running', '-t', '0'])).toMatch(ID);
    expect(await status('rests')).toBe('created');
  });

  test('kill sends the signal asked for', async () => {
    await host.succeed([
      'run',
      '-d',
      '--name',
      'target',
      ...OFFLINE,
      BUSYBOX,
      ...sh('trap "exit 3" USR1; echo up; while :; do sleep 0.05; done'),
    ]);
    await host.succeed(['wait', '--condition', 'running', 'target']);
    // The shell sets its trap before it says so.
    while (!(await host.succeed(['logs', 'target'])).includes('up'));
    expect(await host.succeed(['kill', '-s', 'USR1', 'target'])).toBe('target');
    expect(await host.succeed(['wait', 'target'])).toBe('3');
    expect((await host.lichen(['kill', 'target'])).stderr).toMatch(
      /^Error: can only kill running containers\. [0-9a-f]{64} is in state exited: container state improper\n$/,
    );
    expect(await host.lichen(['kill', '-s', 'NOPE', 'target'])).toMatchObject({ exitCode: 125, stderr: 'Error: invalid signal: NOPE\n' });
  });

  test('pause freezes it, unpause lets it go on, and neither is done twice', async () => {
    const id = await sleeper('frozen');
    expect(await host.succeed(['pause', 'frozen'])).toBe('frozen');
    expect(await status('frozen')).toBe('paused');
    expect(await host.succeed(['ps', '-q'])).toBe('');
    expect(await host.lichen(['pause', 'frozen'])).toMatchObject({
      exitCode: 125,
      stderr: `Error: "${id}" is already paused: container state improper\n`,
    });
    expect((await host.lichen(['start', 'frozen'])).stderr).toMatch(/must be in Created or Stopped state to be started/);
    expect(await host.succeed(['unpause', '--all'])).toBe(id);
    expect(await host.lichen(['unpause', 'frozen'])).toMatchObject({
      exitCode: 125,
      stderr: `Error: "${id}" is not paused, can't unpause: container state improper\n`,
    });
    await host.succeed(['pause', 'frozen']);
    expect(await host.succeed(['rm', '-f', '-t', '0', 'frozen'])).toBe('frozen');
  });

  test('rm of a running one needs --force; the others are removed all the same', async () => {
    const id = await sleeper('busy');
    await host.succeed(['create', '--name', 'idle', BUSYBOX, 'true']);
    const { stdout, stderr, exitCode } = await host.lichen(['rm', 'busy', 'idle']);
    expect({ stdout, exitCode }).toEqual({ stdout: 'idle\n', exitCode: 2 });
    expect(stderr).toContain(
      `Error: cannot remove container ${id} as it is running - running or paused containers cannot be removed without force: container state improper\n`,
    );
    expect(await host.succeed(['rm', '-a', '-f', '-t', '0'])).toBe(id);
  });

  test('rm -v takes anonymous volumes along and leaves named ones', async () => {
    await host.succeed(['create', '--name', 'kept', ...OFFLINE, '-v', 'named:/n', '-v', '/anonymous', BUSYBOX, 'true']);
    expect((await host.succeed(['volume', 'ls', '-q'])).split('\n')).toHaveLength(2);
    await host.succeed(['rm', '-v', 'kept']);
    expect(await host.succeed(['volume', 'ls', '-q'])).toBe('named');
    await host.succeed(['volume', 'rm', 'named']);
  });

  test('a container whose network others use is removed with them or not at all', async () => {
    const base = await sleeper('base');
    const user = await host.succeed(['run', '-d', '--network', 'container:base', BUSYBOX, 'sleep', '1000']);
    expect((await host.lichen(['rm', '-f', 'base'])).stderr).toContain(
      `container ${base} has dependent containers which must be removed before it: ${user}: container already exists\n`,
    );
    expect(await host.succeed(['rm', '-f', '-t', '0', '--depend', 'base'])).toBe('base');
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });

  test('rename gives it another name, which nobody else may have', async () => {
    const [first] = [
      await host.succeed(['create', '--name', 'first', BUSYBOX, 'true']),
      await host.succeed(['create', '--name', 'other', BUSYBOX, 'true']),
    ];
    await host.succeed(['rename', 'first', 'second']);
    expect(await host.succeed(['inspect', '-f', '{{.Name}}', first])).toBe('second');
    expect((await host.lichen(['rename', 'second', 'other'])).stderr).toContain(`Error: renaming container ${first}: `);
    expect(await host.lichen(['rename', 'second', 'bad name'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument\n',
    });
  });

  test('wait prints the exit status of each, and -1 for a missing one with --ignore', async () => {
    await host.succeed(['run', '-d', '--name', 'three', ...OFFLINE, BUSYBOX, ...sh('sleep 0.2; exit 3')]);
    await host.succeed(['run', '-d', '--name', 'zero', ...OFFLINE, BUSYBOX, 'true']);
    expect(await host.succeed(['wait', 'three', 'zero'])).toBe('3\n0');
    expect(await host.succeed(['wait', '--ignore', 'nobody'])).toBe('-1');
    expect(await host.lichen(['wait', '--condition', 'odd', 'zero'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: unknown container state: odd: invalid argument\n',
    });
  });

  test('wait ends when the container is removed on exit, with its status', async () => {
    await host.succeed(['run', '-d', '--rm', '--name', 'gone', ...OFFLINE, BUSYBOX, ...sh('sleep 1; exit 4')]);
    expect(await host.succeed(['wait', 'gone'])).toBe('4');
  });

  test('init prepares it, and start lets the prepared process go', async () => {
    await host.succeed(['create', '--name', 'ready', ...OFFLINE, BUSYBOX, ...sh('echo ran')]);
    expect(await host.succeed(['init', 'ready'])).toBe('ready');
    expect(await status('ready')).toBe('initialized');
    expect((await host.lichen(['init', 'ready'])).stderr).toMatch(/has already been created in runtime: container state improper\n$/);
    expect(await host.succeed(['logs', 'ready'])).toBe('');
    await host.succeed(['start', 'ready']);
    await host.succeed(['wait', 'ready']);
    expect(await host.succeed(['logs', 'ready'])).toBe('ran');
  });

  test('start -a shows the output and ends with the exit status', async () => {
    await host.succeed(['create', '--name', 'shown', ...OFFLINE, BUSYBOX, ...sh('echo out; echo err >&2; exit 5')]);
    expect(await host.lichen(['start', '-a', 'shown'])).toMatchObject({ stdout: 'out\n', stderr: 'err\n', exitCode: 5 });
    expect(await host.lichen(['start', '--sig-proxy', 'shown'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: you cannot use sig-proxy without --attach: invalid argument\n',
    });
  });

  test('start -ai passes input on where the container keeps stdin open', async () => {
    await host.succeed(['create', '-i', '--name', 'fed', ...OFFLINE, BUSYBOX, 'cat']);
    expect(await host.lichen(['start', '-a', '-i', 'fed'], { input: 'food\n' })).toMatchObject({ stdout: 'food\n', exitCode: 0 });
  });

  test('prune asks first, removes what is at rest, and obeys its filters', async () => {
    const busy = await sleeper('busy');
    const rested = await host.succeed(['create', '--name', 'rested', '--label', 'keep', BUSYBOX, 'true']);
    const question = 'WARNING! This will remove all non running containers.\nAre you sure you want to continue? [y/N] ';
    expect(await host.lichen(['container', 'prune'])).toMatchObject({ exitCode: 125, stdout: question, stderr: 'Error: EOF\n' });
    expect(await host.lichen(['container', 'prune'], { input: 'n\n' })).toMatchObject({ exitCode: 0, stdout: question });
    expect(await host.succeed(['container', 'prune', '-f', '--filter', 'label!=keep'])).toBe('');
    expect(await host.lichen(['container', 'prune'], { input: 'y\n' })).toMatchObject({ exitCode: 0, stdout: `${question}${rested}\n` });
    expect(await host.succeed(['ps', '-q', '--no-trunc'])).toBe(busy);
    expect(await host.lichen(['container', 'prune', '-f', '--filter', 'name=x'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: name is an invalid filter\n',
    });
  });

  test('--latest is the container created last, --filter chooses without names', async () => {
    await sleeper('older', '--label', 'team=a');
    const newer = await sleeper('newer', '--label', 'team=b');
    expect(await host.succeed(['inspect', '-l', '-f', '{{.Name}}'])).toBe('newer');
    expect(await host.succeed(['stop', '-t', '0', '--filter', 'label=team=b'])).toBe(newer);
    expect(await status('older')).toBe('running');
    expect(await host.succeed(['rm', '-l'])).toBe(newer);
    expect((await host.lichen(['stop', '-l', 'older'])).stderr).toBe('Error: --latest and containers cannot be used together\n');
  });

  test('a monitor killed with its container is noticed by the next command', async () => {
    await sleeper('orphan');
    const [pid, monitor] = (await host.succeed(['inspect', '-f', '{{.State.Pid}} {{.State.ConmonPid}}', 'orphan'])).split(' ');
    await host.asRoot(['kill', '-9', monitor!, pid!]);
    expect(await host.succeed(['ps', '-a', '--format', '{{.Names}} {{.State}}'])).toBe('orphan exited');
    expect(await host.succeed(['start', 'orphan'])).toBe('orphan');
    await removeNow(host, 'orphan');
  });
});

describe.skipIf(!canRunContainers)('wait', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('a container that never ran is stopped; nobody waits for the health of one without a check', async () => {
    const id = await host.succeed(['create', '--name', 'idle', BUSYBOX, 'true']);
    expect(await host.succeed(['wait', '--condition', 'stopped', 'idle'])).toBe('0');
    expect(await host.succeed(['wait', '--condition', 'created,running', 'idle'])).toBe('-1');
    expect(await host.lichen(['wait', '--condition', 'healthy', 'idle'])).toMatchObject({
      exitCode: 125,
      stderr: `Error: cannot use condition "healthy": container ${id} has no healthcheck\n`,
    });
    expect(await host.lichen(['wait', '--condition', 'configured', 'idle'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: unknown container state: configured: invalid argument\n',
    });
    await removeNow(host, 'idle');
  });
});
