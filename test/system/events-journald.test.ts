/** Where events are kept: systemd's journal, nowhere; and health checks that are logged among them. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { canRunJournal, JOURNAL_SOCKET } from '../host/journal.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow } from '../host/loaded.ts';

let host: TestHost;
const IN_JOURNAL = '--events-backend=journald';
/** What is in the journal stays there: each test has a container of its own. */
let name = '';
const LINE = '{{.Type}} {{.Status}} {{.Name}}';

const run = (...words: readonly string[]) => host.lichen([IN_JOURNAL, 'run', '--name', name, '--network=none', ...words]);
const past = (...words: readonly string[]) => host.succeed([IN_JOURNAL, 'events', '--stream=false', ...words]);
const of = (one: string) => ['--filter', `container=${one}`];
const configured = (text: string) => host.writeFile(`${host.user.home}/.config/containers/containers.conf`, text);

describe.skipIf(!canRunContainers || !canRunJournal)('events in the journal', () => {
  beforeAll(async () => {
    host = await loadedHost(['busybox'], { journal: true });
  });
  let count = 0;
  beforeEach(() => {
    name = `actor${count++}`;
  });
  afterEach(async () => {
    await configured('');
    await removeNow(host, name);
  });
  afterAll(() => host[Symbol.asyncDispose]());

  test('are those that the database would hold, and are not in it', async () => {
    await run('--label=b=2', '--label=a=1 x', BUSYBOX, 'sh', '-c', 'exit 3');
    await host.lichen(['run', '--name=twin', '--network=none', '--label=b=2', '--label=a=1 x', BUSYBOX, 'sh', '-c', 'exit 3']);
    const words = (text: string) => text.replaceAll(/^\S+ \S+ \S+ \S+ |[0-9a-f]{64}|twin|actor\d+/gm, '');
    const [id, twin] = [await host.succeed(['inspect', '-f', '{{.Id}}', name]), await host.succeed(['inspect', '-f', '{{.Id}}', 'twin'])];
    await expect.poll(() => past(...of(name))).toContain('cleanup');
    const [journal, file] = [await past(...of(name)), await host.succeed(['events', '--stream=false', ...of('twin')])];
    expect(words(journal)).toBe(words(file));
    expect(journal.split('\n').map((line) => /container (\w+)/.exec(line)![1])).toEqual([
      'create',
      'init',
      'start',
      'attach',
      'died',
      'cleanup',
    ]);
    expect(await host.succeed(['events', '--stream=false', ...of(name)])).toBe('');
    expect(await past(...of('twin'))).toBe('');
    const [one, other] = [
      await past(...of(id), '--filter=event=died', '--format=json'),
      await host.succeed(['events', '--stream=false', ...of(twin), '--filter=event=died', '--format=json']),
    ];
    const fields = (text: string) => ({ ...(JSON.parse(text) as object), ID: '', Name: '', time: 0, timeNano: 0 });
    expect(fields(one)).toEqual(fields(other));
    expect(fields(one)).toMatchObject({ ContainerExitCode: 3, Attributes: { a: '1 x', b: '2' } });
    await removeNow(host, 'twin');
  });

  test('of all kinds of objects can be chosen by filters and times', async () => {
    await host.succeed([IN_JOURNAL, 'volume', 'create', 'vol']);
    await host.succeed([IN_JOURNAL, 'volume', 'rm', 'vol']);
    await host.succeed([IN_JOURNAL, 'tag', BUSYBOX, 'localhost/other']);
    await host.succeed([IN_JOURNAL, 'untag', BUSYBOX, 'localhost/other']);
    await expect.poll(() => past('--filter=volume=vol', '--format', LINE)).toBe('volume create vol\nvolume remove vol');
    await expect.poll(() => past('--filter=type=image', '--filter=event=tag', '--format', LINE)).toBe('image tag localhost/other:latest');
    const [created = '', removed = ''] = (await past('--filter=volume=vol', '--format={{.TimeNano}}')).split('\n');
    const seconds = (nanos: string) => `${nanos.slice(0, -9)}.${nanos.slice(-9)}`;
    await expect.poll(() => past('--filter=volume=vol', '--since', seconds(removed), '--format', LINE)).toBe('volume remove vol');
    await expect.poll(() => past('--filter=volume=vol', '--until', seconds(created), '--format', LINE)).toBe('volume create vol');
    expect(await past('--since=2100-01-01')).toBe('');
    expect(await host.lichen([IN_JOURNAL, 'events', '--filter=foo=bar'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: failed to parse event filters: foo is an invalid filter\n',
    });
  });

  test('are Podman’s for whoever reads the journal himself', async () => {
    await run(BUSYBOX, 'sh', '-c', 'exit 3');
    const matches = ['SYSLOG_IDENTIFIER=podman', 'PODMAN_TYPE=container', 'PODMAN_EVENT=died', `PODMAN_NAME=${name}`, 'PODMAN_EXIT_CODE=3'];
    const messages = async () => (await host.run(['journalctl', '-q', '-o', 'cat', ...matches])).stdout;
    await expect
      .poll(messages)
      .toMatch(
        /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? \+0000 UTC container died [0-9a-f]{64} \(image=localhost\/busybox:latest, name=actor\d+\)\n$/,
      );
  });

  test('to come are shown as they come, those of a detached container’s clean-up too', async () => {
    await using following = host.spawnLichen([IN_JOURNAL, 'events', ...of(name), '--format', LINE]);
    await expect.poll(() => host.processes().some(({ command }) => command.includes('/journalctl '))).toBe(true);
    await run('-d', '--log-driver=none', BUSYBOX, 'true');
    await following.waitForOutput(
      new RegExp(['create', 'init', 'start', 'died', 'cleanup'].map((status) => `container ${status} ${name}\n`).join('')),
    );
    await host.succeed([IN_JOURNAL, 'rm', name]);
    await following.waitForOutput(/container remove /);
    following.signal('SIGTERM');
    await following.finished;
  });

  test('--until ends the stream', async () => {
    await run(BUSYBOX, 'true');
    const { stdout, exitCode } = await host.lichen([IN_JOURNAL, 'events', '--since=1h', '--until=1s', ...of(name), '--format={{.Status}}']);
    expect({ stdout, exitCode }).toEqual({ stdout: 'create\ninit\nstart\nattach\ndied\ncleanup\n', exitCode: 0 });
  });

  test('of another store are not shown', async () => {
    const elsewhere = ['--root', `${host.user.home}/elsewhere`];
    await host.succeed([...elsewhere, IN_JOURNAL, 'volume', 'create', 'theirs']);
    const theirs = () => host.succeed([...elsewhere, IN_JOURNAL, 'events', '--stream=false', '--format', LINE]);
    await expect.poll(theirs).toContain('volume create theirs');
    expect(await past('--filter=volume=theirs')).toBe('');
  });

  test('may be larger than a datagram', async () => {
    const labels = Array.from({ length: 40 }, (_, number) => `label${number}=${'x'.repeat(10_000)}`);
    await host.writeFile(`${host.user.home}/labels`, `${labels.join('\n')}\n`);
    await host.succeed([IN_JOURNAL, 'create', '--name', name, '--label-file', `${host.user.home}/labels`, BUSYBOX, 'true']);
    await expect.poll(() => past(...of(name))).not.toBe('');
    const { Attributes } = JSON.parse(await past(...of(name), '--format=json')) as { Attributes: Record<string, string> };
    expect(
      Object.entries(Attributes)
        .map(([key, value]) => `${key}=${value}`)
        .toSorted(),
    ).toEqual(labels.toSorted());
  });

  test('a change that is undone is not told', async () => {
    await run(BUSYBOX, 'true');
    expect((await host.lichen([IN_JOURNAL, 'create', '--name', name, BUSYBOX, 'true'])).exitCode).toBe(125);
    await host.succeed([IN_JOURNAL, 'rm', name]);
    const told = () => past(...of(name), '--filter=event=create', '--filter=event=remove', '--format={{.Status}}');
    await expect.poll(told).toBe('create\nremove');
  });

  test.each([
    ['journald', 'journald', [IN_JOURNAL]],
    ['file', 'file', []],
  ] as const)('events_logger = "%s" of containers.conf chooses %s', async (logger, shown, flags) => {
    await configured(`[engine]\nevents_logger = "${logger}"\n`);
    expect(await host.succeed(['info', '-f', '{{.Host.EventLogger}}'])).toBe(shown);
    await host.succeed(['volume', 'create', `by-${logger}`]);
    await configured('');
    const told = () => host.succeed([...flags, 'events', '--stream=false', `--filter=volume=by-${logger}`, '--format', LINE]);
    await expect.poll(told).toBe(`volume create by-${logger}`);
    await host.succeed(['volume', 'rm', `by-${logger}`]);
  });

  test('none keeps none, and any other word is refused', async () => {
    await host.succeed(['--events-backend=none', 'volume', 'create', 'quiet']);
    expect(await past('--filter=volume=quiet')).toBe('');
    expect(await host.succeed(['events', '--stream=false', '--filter=volume=quiet'])).toBe('');
    expect(await host.lichen(['--events-backend=none', 'events'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: cannot read events with the "none" backend\n',
    });
    expect(await host.lichen(['--events-backend=foo', 'volume', 'ls'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: configuring runtime: "foo" is not a valid events backend: invalid argument\n',
    });
    await configured('[engine]\nevents_logger = "foo"\n');
    expect(await host.lichen(['volume', 'ls'])).toMatchObject({
      exitCode: 125,
      stderr: 'Error: unknown event logger type: foo\nSet events_logger in [engine] of containers.conf to file, journald or none.\n',
    });
    await configured('');
    await host.succeed(['volume', 'rm', 'quiet']);
  });

  test.each(['journald', 'file'])('--health-log-destination events_logger: the check is told with its event (%s)', async (backend) => {
    const flags = [`--events-backend=${backend}`];
    const check = ['--health-cmd=echo words; echo more', '--health-interval=disable', '--label=x=y'];
    await host.succeed([
      ...flags,
      'run',
      '-d',
      '--name',
      name,
      '--network=none',
      ...check,
      '--health-log-destination=events_logger',
      BUSYBOX,
      'sleep',
      '1000',
    ]);
    await host.succeed([...flags, 'healthcheck', 'run', name]);
    const told = () => host.succeed([...flags, 'events', '--stream=false', ...of(name), '--filter=event=health_status', '--since=1h']);
    const [entry] = JSON.parse(await host.succeed(['inspect', '-f', '{{json .State.Health.Log}}', name])) as [object];
    expect(entry).toMatchObject({ ExitCode: 0, Output: 'words\nmore\n' });
    const last = async () => (await told()).split('\n').at(-1);
    await expect.poll(last).toContain(`health_status=healthy, health_failing_streak=0, health_log=${JSON.stringify(entry)}, x=y)`);
    expect(await host.succeed(['inspect', '-f', '{{.Config.HealthLogDestination}}', name])).toBe('events_logger');
    await host.succeed([...flags, 'update', '--health-log-destination=local', name]);
    await host.succeed([...flags, 'healthcheck', 'run', name]);
    await expect.poll(last).toContain('health_log=, x=y)');
  });
});

describe.skipIf(!canRunContainers || !canRunJournal)('where there is no journal', () => {
  test('each event that is lost is said, and the work is done', async () => {
    await using poor = await loadedHost(['busybox'], { journal: true });
    await poor.asRoot(['mv', JOURNAL_SOCKET, '/run/elsewhere']);
    const { stdout, stderr, exitCode } = await poor.lichen([IN_JOURNAL, 'volume', 'create', 'vol']);
    expect({ stdout, exitCode }).toEqual({ stdout: 'vol\n', exitCode: 0 });
    expect(stderr).toMatch(
      /^time="[^"]+" level=error msg="Unable to write volume event: sendto \/run\/systemd\/journal\/socket: no such file or directory"\n$/,
    );
    expect(await poor.succeed(['volume', 'ls', '-q'])).toBe('vol');
  });

  test('and no journalctl, events says so', async () => {
    await using poor = await loadedHost(['busybox'], { journal: true, without: ['journalctl'] });
    for (const stream of ['--stream=false', '--stream'])
      expect(await poor.lichen([IN_JOURNAL, 'events', stream])).toMatchObject({
        stderr: 'Error: journalctl: not found\nInstall it (Debian: apt-get install systemd).\n',
        exitCode: 125,
      });
  });
});
