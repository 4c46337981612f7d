/** OCI hooks of the machine (oci-hooks(5)): called for the containers they are for, and never a way to make us run a stranger's program. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const DIRECTORY = '/home/tester/hooks.d';
const STAGES = ['prestart', 'createRuntime', 'createContainer', 'startContainer', 'poststart', 'poststop'];

function note(word: string) {
  return { path: '/bin/sh', args: ['sh', '-c', `cat >/dev/null; echo ${word} $WORD >> /home/tester/called`], env: ['WORD=said'] };
}

function define(name: string, content: unknown): Promise<void> {
  return host.writeFile(`${DIRECTORY}/${name}`, typeof content === 'string' ? content : JSON.stringify(content));
}

function run(flags: readonly string[] = [], script = 'true') {
  return host.lichen(['--hooks-dir', DIRECTORY, 'run', '--rm', '--network=none', ...flags, BUSYBOX, ...sh(script)]);
}

async function called(): Promise<string> {
  return (await host.run(sh('cat called 2>/dev/null; rm -f called'))).stdout;
}

describe.skipIf(!canRunContainers)('OCI hooks', () => {
  beforeAll(async () => {
    host = await loadedHost();
  });
  beforeEach(async () => {
    await host.run(['rm', '-rf', DIRECTORY]);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('are called at their moments, with the variables they ask for', async () => {
    // In the container's own namespaces there is only what its image has, and its own file system.
    const outside = STAGES.filter((stage) => stage !== 'startContainer' && stage !== 'createContainer');
    for (const stage of outside)
      await define(`${stage}.json`, { version: '1.0.0', hook: note(stage), when: { always: true }, stages: [stage] });
    expect(await run()).toMatchObject({ exitCode: 0, stderr: '' });
    expect((await called()).trim().split('\n')).toEqual(outside.map((stage) => `${stage} said`));
    await host.succeed(['--hooks-dir', DIRECTORY, 'create', '--network=none', '--name=later', BUSYBOX, 'true']);
    await host.succeed(['--hooks-dir', DIRECTORY, 'init', 'later']);
    expect(await called()).toBe('prestart said\ncreateRuntime said\n');
    await host.succeed(['--hooks-dir', DIRECTORY, 'start', '--attach', 'later']);
    await host.run(sh('until grep -q poststop called; do sleep 0.05; done'));
    await removeNow(host, 'later');
    expect(await called()).toBe('poststart said\npoststop said\n');
  });

  test('are for the containers that fit: by command, annotation, bind mount; all conditions, or one with or', async () => {
    const stages = ['prestart'];
    await define('a.json', { version: '1.0.0', hook: note('command'), when: { commands: ['^sh$'] }, stages });
    await define('b.json', { version: '1.0.0', hook: note('other'), when: { commands: ['^ls$'] }, stages });
    await define('c.json', { version: '1.0.0', hook: note('annotated'), when: { annotations: { '^org\\.': '^yes$' } }, stages });
    await define('d.json', { version: '1.0.0', hook: note('bound'), when: { hasBindMounts: true }, stages });
    await define('e.json', { version: '1.0.0', hook: note('both'), when: { hasBindMounts: true, commands: ['nothing'] }, stages });
    await define('f.json', { version: '1.0.0', hook: note('one'), when: { or: true, hasBindMounts: true, commands: ['nothing'] }, stages });
    await define('g.json', { hook: '/bin/sh', arguments: note('old').args.slice(1), cmds: ['^sh$'], stage: stages });
    await define('README', 'not a hook');
    expect(await run()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await called()).toBe('command said\nold\n');
    expect(await run(['--annotation', 'org.x=yes', '-v', '/tmp:/tmp'])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await called()).toBe('command said\nannotated said\nbound said\none said\nold\n');
  });

  test('are called for RUN where a build asks for them', async () => {
    await define('a.json', { version: '1.0.0', hook: note('built'), when: { always: true }, stages: ['prestart'] });
    const build = (...flags: readonly string[]) =>
      host.lichen(['build', '-q', '--no-cache', '--network=none', ...flags, '-'], { input: `FROM ${BUSYBOX}\nRUN true\n` });
    expect(await build('--hooks-dir', DIRECTORY)).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await called()).toBe('built said\n');
    expect(await build()).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await called()).toBe('');
  });

  test('before the container is made they may change its configuration', async () => {
    const script = `sed 's/"HOSTNAME=[^"]*"/"ADDED=by the hook"/'`;
    await define('a.json', {
      version: '1.0.0',
      hook: { path: '/bin/sh', args: ['sh', '-c', script] },
      when: { always: true },
      stages: ['precreate'],
    });
    expect(await run([], 'echo $ADDED')).toMatchObject({ stdout: 'by the hook\n', exitCode: 0 });
    await define('a.json', { version: '1.0.0', hook: { path: '/bin/true' }, when: { always: true }, stages: ['precreate'] });
    expect(await run()).toMatchObject({
      exitCode: 126,
      stderr: expect.stringContaining('output of precreate hook /bin/true is no configuration'),
    });
  });

  test.each([
    ['garbage', 'Unexpected token'],
    [{ version: '9' }, 'unrecognized hook version: "9"'],
    [{ version: '1.0.0', when: {}, stages: ['prestart'] }, 'missing required property: hook'],
    [{ version: '1.0.0', hook: {}, when: {}, stages: ['prestart'] }, 'missing required property: hook.path'],
    [{ version: '1.0.0', hook: { path: 'bin/true' }, when: {}, stages: ['prestart'] }, 'hook.path is no absolute path: bin/true'],
    [{ version: '1.0.0', hook: { path: '/no/such' }, when: {}, stages: ['prestart'] }, 'stat /no/such: no such file or directory'],
    [{ version: '1.0.0', hook: { path: '/bin/true' }, when: {} }, 'missing required property: stages'],
    [{ version: '1.0.0', hook: { path: '/bin/true' }, when: {}, stages: ['noon'] }, 'unknown stage "noon"'],
    [{ version: '1.0.0', hook: { path: '/bin/true' }, when: { commands: ['('] }, stages: ['prestart'] }, 'invalid command "("'],
    [
      { version: '1.0.0', hook: { path: '/bin/true', timeout: -1 }, when: {}, stages: ['prestart'] },
      'hook.timeout is no number of seconds',
    ],
  ])('a file that describes none is an error, and nothing runs: %j', async (content, why) => {
    await define('bad.json', content);
    expect(await run([], 'echo ran')).toMatchObject({
      stdout: '',
      exitCode: 126,
      stderr: expect.stringContaining(
        `Error: setting up OCI Hooks: parsing hook "${DIRECTORY}/bad.json": ${typeof content === 'string' ? '' : why}`,
      ),
    });
  });

  test('R16: a directory that others can write to is passed over, with a warning; one that is not there without', async () => {
    await define('a.json', { version: '1.0.0', hook: note('called'), when: { always: true }, stages: ['prestart'] });
    await host.run(['chmod', '777', DIRECTORY]);
    expect(await run()).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining(`Hooks of ${DIRECTORY} are not called: others can write to it`),
    });
    await host.run(['chmod', '755', DIRECTORY]);
    expect(await called()).toBe('');
    expect(await host.lichen(['--hooks-dir', '/no/such', 'run', '--rm', '--network=none', BUSYBOX, 'true'])).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
  });

  test('R16: a hook that hangs is ended by its time-out, and one that fails or prints without end fails the start alone', async () => {
    const hang = { path: '/bin/sleep', args: ['sleep', '1000'], timeout: 1 };
    await define('a.json', { version: '1.0.0', hook: hang, when: { always: true }, stages: ['prestart'] });
    expect((await run([], 'echo ran')).stdout).toBe('');
    await define('a.json', { version: '1.0.0', hook: hang, when: { always: true }, stages: ['precreate'] });
    expect(await run([], 'echo ran')).toMatchObject({ stdout: '', stderr: expect.stringContaining('did not end within 1000 ms') });
    await define('a.json', { version: '1.0.0', hook: { path: '/bin/false' }, when: { always: true }, stages: ['createRuntime'] });
    const failed = await run([], 'echo ran');
    expect(failed).toMatchObject({ stdout: '', exitCode: 126 });
    const loud = { path: '/bin/sh', args: ['sh', '-c', 'head -c 67108864 /dev/zero; head -c 67108864 /dev/zero >&2'] };
    await define('a.json', { version: '1.0.0', hook: loud, when: { always: true }, stages: ['prestart'] });
    expect(await run([], 'echo ran')).toMatchObject({ stdout: 'ran\n', exitCode: 0 });
    await define('a.json', { version: '1.0.0', hook: loud, when: { always: true }, stages: ['precreate'] });
    expect(await run([], 'echo ran')).toMatchObject({ stdout: '', exitCode: 126 });
    expect(await host.succeed(['ps', '-aq'])).toBe('');
  });
});
