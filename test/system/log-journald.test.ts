/** `--log-driver journald`: a container's words in systemd's journal, and `logs` of them. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunJournal, JOURNAL_SOCKET } from '../host/journal.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';

let host: TestHost;
const NAME = 'talker';
const JOURNALD = ['--network=none', '--log-driver=journald'];
const TIMEOUT_MS = 60_000;
/** Fields of an entry that do not depend on the machine. */
const OURS = [
  'CONTAINER_ID',
  'CONTAINER_ID_FULL',
  'CONTAINER_NAME',
  'CONTAINER_PARTIAL_MESSAGE',
  'CONTAINER_TAG',
  'MESSAGE',
  'PRIORITY',
  'SYSLOG_IDENTIFIER',
  '_UID',
];

const run = (script: string, ...options: readonly string[]) =>
  host.lichen(['run', '--name', NAME, ...JOURNALD, ...options, BUSYBOX, ...sh(script)]);
const runs = (script: string, ...options: readonly string[]) =>
  host.succeed(['run', '-d', '--name', NAME, ...JOURNALD, ...options, BUSYBOX, ...sh(script)]);
const logs = (...words: readonly string[]) => host.lichen(['logs', ...words], { timeoutMs: TIMEOUT_MS });
const inspected = (format: string, name = NAME) => host.succeed(['inspect', '-f', format, name]);
const readers = () => host.processes().flatMap(({ command }) => (command.includes('/journalctl ') ? [command] : []));
const configured = (text: string) => host.writeFile(`${host.user.home}/.config/containers/containers.conf`, text);

describe.skipIf(!canRunContainers || !canRunJournal)('the log driver journald', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { journal: true });
  });
  afterEach(() => removeNow(host, NAME, 'other'));
  afterAll(() => host[Symbol.asyncDispose]());

  test('output and status of run do not depend on it, and what exec says is not in the log', async () => {
    expect(await run('echo one; echo two >&2; exit 3')).toMatchObject({ stdout: 'one\n', stderr: 'two\n', exitCode: 3 });
    await removeNow(host, NAME);
    await runs('echo mine; exec sleep 1000');
    await expect.poll(async () => (await logs(NAME)).stdout).toBe('mine\n');
    expect(await host.succeed(['exec', NAME, 'echo', 'not mine'])).toBe('not mine');
    await host.succeed(['stop', '-t0', NAME]);
    expect((await logs(NAME)).stdout).toBe('mine\n');
  });

  test.each([
    ['two streams, an empty line and a last one without its newline', 'echo one; echo; echo talk >&2; sleep 0.1; printf part'],
    ['pieces of lines', 'printf "a "; sleep 0.1; printf "b "; sleep 0.1; echo c; sleep 0.1; printf x >&2'],
    ['a line longer than any buffer', 'head -c 100000 /dev/zero | tr "\\0" x; echo; echo end'],
    ['bytes that are no text', String.raw`printf '\377\200\001 \r\n\342\202\254\na\000b\n'`],
  ])('logs shows what a file would hold: %s', async (_what, script) => {
    await run(script);
    await host.lichen(['run', '--name=other', '--network=none', '--log-driver=k8s-file', BUSYBOX, ...sh(script)]);
    for (const words of [[], ['--tail=0'], ['--tail=1'], ['--tail=2'], ['--tail=99'], ['-f']]) {
      const [journal, file] = [await logs(...words, NAME), await logs(...words, 'other')];
      expect([journal.stdout, journal.stderr, journal.exitCode], words.join(' ')).toEqual([file.stdout, file.stderr, 0]);
      expect(journal.stdoutBytes.equals(file.stdoutBytes)).toBe(true);
    }
  });

  test('-t shows times, and --since and --until choose by them', async () => {
    await run('echo one; sleep 0.1; echo two');
    const lines = (await logs('-t', NAME)).stdout.trimEnd().split('\n');
    const stamps = lines.map((line) => line.split(' ')[0]!);
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['one', 'two']);
    expect(stamps[0]).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}000Z$/);
    expect((await logs('--since', stamps[1]!, NAME)).stdout).toBe('two\n');
    expect((await logs('--until', stamps[0]!, NAME)).stdout).toBe('one\n');
    expect((await logs('--since', '1h', NAME)).stdout).toBe('one\ntwo\n');
    expect((await logs('--since', '2100-01-01', NAME)).stdout).toBe('');
    expect((await logs('--tail', '1', '--since', '2100-01-01', NAME)).stdout).toBe('');
  });

  test('of several containers, with other drivers too, each line says whose it is', async () => {
    await run('echo mine');
    await host.succeed(['run', '--name=other', '--network=none', BUSYBOX, 'echo', 'theirs']);
    expect((await logs('-n', '--color', NAME, 'other')).stdout).toBe(`\x1b[37m${NAME} mine\x1b[0m\n\x1b[31mother theirs\x1b[0m\n`);
  });

  test('of many lines none is lost, neither when it has just ended nor when it is followed', async () => {
    const count = 20_000;
    const expected = Array.from({ length: count }, (_, line) => `${line + 1}\n`).join('');
    await runs(`seq ${count}`);
    await using following = host.spawnLichen(['logs', '-f', NAME]);
    await host.succeed(['wait', NAME]);
    expect((await logs(NAME)).stdout === expected).toBe(true);
    expect((await logs('--tail', '3', NAME)).stdout).toBe('19998\n19999\n20000\n');
    expect((await following.finish()).stdout === expected).toBe(true);
  });

  test('-f shows what comes as it comes, begins where --tail says, and ends with the container', async () => {
    // Pieces of a line are put together by conmon already.
    await runs('mkfifo /tmp/go; echo early; echo later; printf "piece "; read -r word < /tmp/go; echo "$word"; echo bye >&2');
    await using all = host.spawnLichen(['logs', '-f', '--since=1h', NAME]);
    await all.waitForOutput(/early\nlater\n$/);
    await using tail = host.spawnLichen(['logs', '-f', '--tail', '1', NAME]);
    await tail.waitForOutput(/^later\n$/);
    await using none = host.spawnLichen(['logs', '-f', '--tail', '0', NAME]);
    await expect.poll(() => readers().filter((command) => command.includes('--after-cursor')).length).toBe(1);
    await host.succeed(['exec', NAME, ...sh('echo whole > /tmp/go')]);
    expect(await all.finish()).toMatchObject({ stdout: 'early\nlater\npiece whole\n', stderr: 'bye\n', exitCode: 0 });
    expect((await tail.finish()).stdout).toBe('later\npiece whole\n');
    expect((await none.finish()).stdout).toBe('piece whole\n');
  });

  test('-f goes on across a restart, and ends when the container is removed', async () => {
    await runs('echo up; exec sleep 1000');
    await using following = host.spawnLichen(['logs', '-f', NAME]);
    await following.waitForOutput(/up/);
    await host.succeed(['restart', '-t0', NAME]);
    await following.waitForOutput(/^up\nup\n$/);
    await removeNow(host, NAME);
    expect(await following.finish()).toMatchObject({ stdout: 'up\nup\n', exitCode: 0 });
  });

  test('-f --until ends at its time; -f of one that never ran ends at once', async () => {
    await runs('echo up; exec sleep 1000');
    await expect.poll(async () => (await logs(NAME)).stdout).toBe('up\n');
    expect(await logs('-f', '--until', '500ms', NAME)).toMatchObject({ stdout: 'up\n', exitCode: 0 });
    await host.succeed(['create', '--name=other', ...JOURNALD, BUSYBOX, 'true']);
    expect(await logs('-f', 'other')).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
  });

  test('a follower that is killed leaves no journalctl behind', async () => {
    await runs('echo up; exec sleep 1000');
    await using following = host.spawnLichen(['logs', '-f', NAME]);
    await following.waitForOutput(/up/);
    expect(readers()).toHaveLength(1);
    following.signal('SIGKILL');
    await expect.poll(readers).toEqual([]);
  });

  test('what another user writes under the container’s id is not shown', async () => {
    await run('echo mine');
    const id = await inspected('{{.Id}}');
    const forged = ['sh', '-c', 'printf "MESSAGE=forged\\nPRIORITY=6\\nCONTAINER_ID_FULL=$1\\nSIGN=x\\n" | logger --journald', 'forge', id];
    expect((await host.asRoot(forged)).exitCode).toBe(0);
    await expect.poll(async () => (await host.asRoot(['journalctl', '-q', '-o', 'cat', 'SIGN=x'])).stdout).toBe('forged\n');
    expect((await logs(NAME)).stdout).toBe('mine\n');
  });

  test('inspect shows it as Podman does, and a path only where one was asked for', async () => {
    await host.succeed(['create', '--name', NAME, ...JOURNALD, '--log-opt=tag=x', BUSYBOX, 'true']);
    expect(await inspected('{{json .HostConfig.LogConfig}}')).toBe('{"Type":"journald","Config":null,"Path":"","Tag":"x","Size":"-1B"}');
    await host.succeed(['create', '--name=other', ...JOURNALD, '--log-opt=path=/tmp/x', '--log-opt=max-size=1k', BUSYBOX, 'true']);
    expect(await inspected('{{json .HostConfig.LogConfig}}', 'other')).toBe(
      '{"Type":"journald","Config":null,"Path":"/tmp/x","Tag":"","Size":"1kB"}',
    );
    const clone = await host.succeed(['container', 'clone', NAME]);
    expect(await inspected('{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Path}}.', clone)).toBe('journald .');
    await removeNow(host, clone);
  });

  test('each entry says whose it is, of which stream, and whether its line goes on', async () => {
    await run('echo out; sleep 0.1; echo err >&2; sleep 0.1; printf part');
    const id = await inspected('{{.Id}}');
    const asked = ['journalctl', '-q', '-o', 'json', `CONTAINER_ID_FULL=${id}`];
    const entries = async () => {
      const { stdout } = await host.run(asked);
      return (
        stdout
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => Object.entries(JSON.parse(line) as Readonly<Record<string, string>>).filter(([key]) => OURS.includes(key)))
          // conmon keeps the end of the line.
          .map((fields) => Object.fromEntries(fields.map(([key, value]) => [key, value.replace(/\n$/, '')])))
      );
    };
    const always = {
      CONTAINER_ID: id.slice(0, 12),
      CONTAINER_ID_FULL: id,
      CONTAINER_NAME: NAME,
      SYSLOG_IDENTIFIER: NAME,
      _UID: String(host.user.uid),
    };
    await expect.poll(entries, { timeout: 10_000 }).toEqual([
      { ...always, MESSAGE: 'out', PRIORITY: '6' },
      { ...always, MESSAGE: 'err', PRIORITY: '3' },
      { ...always, MESSAGE: 'part', PRIORITY: '6', CONTAINER_PARTIAL_MESSAGE: 'true' },
    ]);
  });

  test('the tag is a template over the container', async () => {
    await run('echo tagged', '--log-opt=tag={{.Name}}/{{.ImageName}}/{{.ID}}');
    const id = await inspected('{{.Id}}');
    const tag = `${NAME}/localhost/busybox:latest/${id}`;
    const tagged = ['journalctl', '-q', '-o', 'cat', `CONTAINER_TAG=${tag}`, `SYSLOG_IDENTIFIER=${tag}`];
    await expect.poll(async () => (await host.run(tagged)).stdout).toMatch(/^tagged\n\n?$/);
    await removeNow(host, NAME);
    await host.succeed(['create', '--name', NAME, ...JOURNALD, '--log-opt=tag={{.Foo}}', BUSYBOX, 'true']);
    const words =
      'Error: template: container:1:2: executing "container" at <.Foo>: can\'t evaluate field Foo in type *define.InspectContainerData\n';
    expect(await host.lichen(['start', NAME])).toMatchObject({ stdout: '', stderr: words, exitCode: 125 });
    await removeNow(host, NAME);
    expect(await run('true', '--log-opt=tag={{.Foo}}')).toMatchObject({ stderr: words, exitCode: 126 });
  });

  test('containers.conf may choose it, with a tag', async () => {
    await configured('[containers]\nlog_driver = "journald"\nlog_tag = "mine"\n');
    await host.succeed(['create', '--name', NAME, BUSYBOX, 'true']);
    expect(await inspected('{{.HostConfig.LogConfig.Type}} {{.HostConfig.LogConfig.Tag}}')).toBe('journald mine');
    expect(await host.succeed(['info', '-f', '{{.Host.LogDriver}}'])).toBe('journald');
    await configured('[containers]\nlog_driver = "foo"\n');
    expect(await host.lichen(['create', '--name=other', BUSYBOX, 'true'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: running container create option: invalid log driver: invalid argument\n',
    });
    await configured('');
  });
});

describe.skipIf(!canRunContainers || !canRunJournal)('where the journal', () => {
  test('is not there, create and start say so', async () => {
    await using poor = await loadedHost(['busybox'], { journal: true });
    await poor.succeed(['create', '--name=early', ...JOURNALD, BUSYBOX, 'true']);
    await poor.asRoot(['mv', JOURNAL_SOCKET, '/run/elsewhere']);
    const stderr =
      'Error: the log driver "journald" needs systemd\'s journal: /run/systemd/journal/socket: no such file or directory\n' +
      'Use --log-driver k8s-file, or start systemd-journald.\n';
    for (const verb of ['create', 'run'])
      expect(await poor.lichen([verb, '--name=late', ...JOURNALD, BUSYBOX, 'true'])).toMatchObject({ stdout: '', stderr, exitCode: 125 });
    expect(await poor.lichen(['start', 'early'])).toMatchObject({ stdout: '', stderr, exitCode: 125 });
    expect(await poor.succeed(['ps', '-a', '--format', '{{.Names}} {{.State}}'])).toBe('early created');
    await removeNow(poor, 'early');
  });

  test('cannot be read, logs says so', async () => {
    await using poor = await loadedHost(['busybox'], { journal: true, without: ['journalctl'] });
    await poor.succeed(['run', '--name=c', ...JOURNALD, BUSYBOX, 'echo', 'hi']);
    expect(await poor.lichen(['logs', 'c'])).toMatchObject({
      stdout: '',
      stderr: 'Error: journalctl: not found\nInstall it (Debian: apt-get install systemd).\n',
      exitCode: 125,
    });
    await removeNow(poor, 'c');
  });

  test('is closed to the user, logs says what to do', async () => {
    await using poor = await loadedHost(['busybox'], { journal: true });
    await poor.succeed(['run', '--name=c', ...JOURNALD, BUSYBOX, 'echo', 'hi']);
    await poor.asRoot(['sh', '-c', 'chmod 600 /var/log/journal/*/*.journal']);
    for (const words of [
      ['logs', 'c'],
      ['logs', '-f', 'c'],
    ])
      expect(await poor.lichen(words)).toMatchObject({
        stdout: '',
        stderr:
          'Error: journalctl: No journal files were opened due to insufficient permissions.\nHave an administrator add you to the group systemd-journal.\n',
        exitCode: 125,
      });
    await removeNow(poor, 'c');
  });
});
