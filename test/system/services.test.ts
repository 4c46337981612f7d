/** Containers as services of a real `systemd --user`: what README.md and docs/systemd.md say, as it is written there, and sockets that systemd opens. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, type TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { canRunJournal } from '../host/journal.ts';
import { reboot } from '../host/reboot.ts';
import { canRunSystemd } from '../host/systemd.ts';

let host: TestHost;
const LONG = { timeout: 20_000 };

/** The commands of a document. */
const commandsOf = (document: string): readonly string[] =>
  [...readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8').matchAll(/```sh\n(.*?)```/gs)].map(
    ([, commands = '']) => commands,
  );
const [SERVICE = '', TIMER = '', PROXY = ''] = commandsOf('docs/systemd.md');
const QUADLET = commandsOf('README.md').find((commands) => commands.includes('generate quadlet')) ?? '';

async function follow(commands: string, ports: Readonly<Record<string, number>> = {}): Promise<void> {
  const script = Object.entries(ports).reduce(
    (text, [port, free]) => text.replaceAll(new RegExp(`\\b${port}\\b`, 'g'), String(free)),
    commands,
  );
  const { exitCode, stderr } = await host.run(sh(`set -eu\n${script}`));
  expect(exitCode, stderr).toBe(0);
}

const systemctl = async (...words: readonly string[]) => {
  const { stdout, stderr } = await host.run(['systemctl', '--user', ...words]);
  return (stdout + stderr).trim();
};
/** What the server in the container answers; busybox has a page of its own for what is not there. */
const answer = async (port: number) =>
  (
    await host.run([
      'perl',
      '-e',
      `use IO::Socket::INET; my $s = IO::Socket::INET->new("127.0.0.1:${port}") or exit 1; print $s "GET /none HTTP/1.0\\r\\n\\r\\n"; print <$s>`,
    ])
  ).stdout;
const unit = (name: string, text: string) => host.writeFile(`${host.user.home}/.config/systemd/user/${name}`, text);
const program = async () => (await host.run(sh('command -v lichen'))).stdout.trim();

describe.skipIf(!canRunContainers || !canRunSystemd)('services', () => {
  beforeEach(async () => {
    host = await loadedHost(['busybox'], { systemd: true, allowLeaks: true });
    await host.succeed(['tag', BUSYBOX, 'docker.io/library/busybox:latest']);
  });
  afterEach(async () => {
    const units = ['hello', 'container-*', 'web-proxy*', 'listening*'];
    await systemctl('stop', '--no-block', ...units);
    // It hears no SIGTERM, and would be waited for.
    const servers = host.processes().filter(({ command }) => command.startsWith('busybox httpd'));
    if (servers.length > 0) await host.asRoot(['kill', '-9', ...servers.map(({ pid }) => String(pid))]);
    await systemctl('stop', ...units);
    await removeNow(host, '--all');
    await host[Symbol.asyncDispose]();
  });

  test('three commands make a service that is there after a reboot, of a container that is made or one that runs', async () => {
    const ports = [await freePort(), await freePort()] as const;
    await follow(SERVICE, { 8080: ports[0] });
    await follow(QUADLET, { 8080: ports[1] });
    const ids = () => host.succeed(['inspect', '-f', '{{.Id}}', 'web', 'hello']);
    const areUp = async () => {
      await expect.poll(() => systemctl('is-active', 'container-web', 'hello'), LONG).toBe('active\nactive');
      for (const port of ports) await expect.poll(() => answer(port), LONG).toContain('404 Not Found');
    };
    await areUp();
    const before = (await ids()).split('\n');
    await reboot(host, { systemd: true });
    await areUp();
    for (const id of before) expect(await ids()).not.toContain(id);
  });

  test('the timer updates every day', async () => {
    await follow(TIMER);
    expect(await systemctl('is-active', 'lichen-auto-update.timer')).toBe('active');
    expect(await systemctl('start', 'lichen-auto-update.service')).toBe('');
    expect(await systemctl('show', '-P', 'Result', 'lichen-auto-update.service')).toBe('success');
    const files = ['service', 'timer'].map((kind) => `${host.user.home}/.config/systemd/user/lichen-auto-update.${kind}`);
    expect(await host.run(['systemd-analyze', '--user', 'verify', ...files])).toMatchObject({ exitCode: 0, stderr: '' });
  });

  test('a published port behind the proxy of systemd: the first connection starts the container', async () => {
    const [outside, inside] = [await freePort(), await freePort()];
    await follow(PROXY, { 8080: outside, 8081: inside });
    const files = ['socket', 'service'].map((kind) => `${host.user.home}/.config/systemd/user/web-proxy.${kind}`);
    expect(await host.run(['systemd-analyze', '--user', 'verify', ...files])).toMatchObject({ exitCode: 0, stderr: '' });
    expect(await host.succeed(['ps', '-aq'])).toBe('');
    // The proxy is up before the server is.
    await expect.poll(() => answer(outside), LONG).toContain('404 Not Found');
    expect(await host.succeed(['ps', '--format', '{{.Names}}'])).toBe('lazy');
  });

  /** A service of its own making, running. */
  async function serve(name: string, flags: readonly string[], script: string, ...keys: readonly string[]): Promise<void> {
    const words = [
      await program(),
      'run',
      '-d',
      '--rm',
      `--name=${name}`,
      '--network=none',
      ...flags,
      BUSYBOX,
      'sh',
      '-c',
      JSON.stringify(script),
    ];
    await unit(`listening-${name}.service`, `[Service]\nType=notify\nNotifyAccess=all\nExecStart=${words.join(' ')}\n${keys.join('\n')}\n`);
    await systemctl('daemon-reload');
  }
  const shown = (name: string, property: string) => systemctl('show', '-P', property, `listening-${name}`);
  const cgroupOf = async (pid: string) => /^0::(.*)$/m.exec(await host.readFile(`/proc/${pid}/cgroup`))?.[1];

  /** Hand hugetlb down as far as to units: a controller that even a machine has whose other ones belong to cgroup v1. False where it is none of v2's. */
  async function delegateHugetlb(): Promise<boolean> {
    const base = `/sys/fs/cgroup/${host.name}`;
    if (!(await host.readFile(`${base}/cgroup.controllers`)).split(/\s/).includes('hugetlb')) return false;
    const app = `${base}/manager/app.slice`;
    const script = [base, `${base}/manager`, app].map((directory) => `echo +hugetlb >${directory}/cgroup.subtree_control`).join('\n');
    expect(await host.asRoot(sh(`set -e\n${script}`))).toMatchObject({ exitCode: 0, stderr: '' });
    return true;
  }

  test.each(['mixed', 'control-group'])(
    '--cgroups split, KillMode=%s: container and monitor each in a cgroup of the service, which ends with them and their exit status',
    async (killMode) => {
      const [size, limit] = ['hugetlb.2MB', '4194304'];
      const isDelegated = await delegateHugetlb();
      await serve(
        'split',
        ['--cgroups=split', '--sdnotify=conmon', ...(isDelegated ? [`--cgroup-conf=${size}.max=${limit}`] : [])],
        "trap 'exit 3' TERM; sleep 1000 & wait",
        'Delegate=yes',
        `KillMode=${killMode}`,
      );
      expect(await systemctl('start', 'listening-split')).toBe('');
      const [id = '', pid = '', monitor = ''] = (
        await host.succeed(['inspect', '-f', '{{.Id}} {{.State.Pid}} {{.State.ConmonPid}}', 'split'])
      ).split(' ');
      const own = await shown('split', 'ControlGroup');
      expect(await shown('split', 'MainPID')).toBe(monitor);
      expect([await cgroupOf(pid), await cgroupOf(monitor)]).toEqual([`${own}/libpod-payload-${id}`, `${own}/runtime`]);
      // A cgroup with processes of its own could not hand it down.
      const payload = `/sys/fs/cgroup${own}/libpod-payload-${id}`;
      if (isDelegated) expect(await host.readFile(`${payload}/${size}.max`)).toBe(`${limit}\n`);
      expect(await host.succeed(['exec', 'split', 'echo', 'inside'])).toBe('inside');
      expect(await systemctl('stop', 'listening-split')).toBe('');
      expect([await shown('split', 'ExecMainStatus'), await shown('split', 'Result')]).toEqual(['3', 'exit-code']);
      await expect.poll(() => host.succeed(['ps', '-aq'])).toBe('');
      expect((await host.run(['ls', `/sys/fs/cgroup${own}`])).exitCode).not.toBe(0);
      expect(host.processes().filter(({ command }) => command.includes('conmon'))).toEqual([]);
    },
  );

  test('a container that ends by itself ends its service with its status', async () => {
    await serve(
      'short',
      ['--cgroups=no-conmon', '--sdnotify=conmon'],
      'while ! test -e /end; do sleep 0.1; done; exit 5',
      'RestartPreventExitStatus=5',
      'Restart=on-failure',
    );
    expect(await systemctl('start', 'listening-short')).toBe('');
    await host.succeed(['exec', 'short', 'touch', '/end']);
    await expect.poll(() => systemctl('is-active', 'listening-short'), LONG).toBe('failed');
    expect(await shown('short', 'ExecMainStatus')).toBe('5');
  });

  test('container: the service is started when a program in it says so', async () => {
    await serve('told', ['--cgroups=no-conmon'], "trap 'exit 0' TERM; sleep 1000 & wait");
    expect(await systemctl('start', '--no-block', 'listening-told')).toBe('');
    await expect.poll(async () => (await host.lichen(['wait', '--condition=running', 'told'])).exitCode, LONG).toBe(0);
    expect(await systemctl('is-active', 'listening-told')).toBe('activating');
    const id = await host.succeed(['inspect', '-f', '{{.Id}}', 'told']);
    const send = `use Socket; chdir("${host.runDir}/c/${id}/mailbox") or die; socket(S, AF_UNIX, SOCK_DGRAM, 0) or die; send(S, "READY=1", 0, sockaddr_un("notify.sock")) or die`;
    await host.succeed(['unshare', 'perl', '-e', send]);
    await expect.poll(() => systemctl('is-active', 'listening-told'), LONG).toBe('active');
    expect(await shown('told', 'MainPID')).toBe(await host.succeed(['inspect', '-f', '{{.State.ConmonPid}}', 'told']));
    expect(await systemctl('stop', 'listening-told')).toBe('');
    expect(await systemctl('is-failed', 'listening-told')).toBe('inactive');
  });

  test.each([
    ['from a machine that has run nothing yet', true],
    ['beside others', false],
  ])('descriptors of a .socket unit go on to the container, %s', async (_, isFirst) => {
    const look =
      'echo "$LISTEN_FDS $LISTEN_PID $LISTEN_FDNAMES"; for fd in 3 4 5; do readlink /proc/self/fd/$fd | sed s/:.*//; done; exec sleep 1000';
    await unit('listening.socket', '[Socket]\nListenStream=%t/one.sock\nListenDatagram=%t/two.sock\nFileDescriptorName=doors\n');
    const words = ['run', '--rm', '-d', '--name=listening', '--network=none', '--sdnotify=conmon', '--cgroups=no-conmon', BUSYBOX];
    await unit(
      'listening.service',
      `[Service]\nType=notify\nNotifyAccess=all\nExecStart=${await program()} ${words.join(' ')} sh -c ${JSON.stringify(look.replaceAll('$', '$$$$'))}\nExecStop=${await program()} stop -t 0 listening\n`,
    );
    if (isFirst) await reboot(host, { systemd: true });
    expect(await systemctl('start', 'listening.socket')).toBe('');
    expect(await systemctl('start', 'listening.service')).toBe('');
    await expect.poll(async () => (await host.lichen(['logs', 'listening'])).stdout, LONG).toBe('2 1 doors:doors\nsocket\nsocket\n');
  });
});

describe.skipIf(!canRunContainers || !canRunSystemd || !canRunJournal)('where the journal runs', () => {
  test('what a container with LogDriver=passthrough says is said from the cgroup of its service, under its name', async () => {
    await using made = await loadedHost(['busybox'], { systemd: true, journal: true, allowLeaks: true });
    host = made;
    const script = `sh -c 'echo spoken; trap "exit 0" TERM; sleep 1000 & wait'`;
    await host.writeFile('/tmp/said.container', `[Container]\nImage=${BUSYBOX}\nNetwork=none\nLogDriver=passthrough\nExec=${script}\n`);
    await host.succeed(['quadlet', 'install', '/tmp/said.container']);
    expect(await systemctl('start', 'said')).toBe('');
    const asked = ['journalctl', '-q', '-o', 'json', 'SYSLOG_IDENTIFIER=said', 'MESSAGE=spoken'];
    const entry = async () => JSON.parse((await host.run(asked)).stdout || '{}') as Readonly<Record<string, string>>;
    // By this path journald knows the unit, where the user's manager is one of the machine's.
    const group = await systemctl('show', '-P', 'ControlGroup', 'said');
    expect(group).toMatch(/\/said\.service$/);
    await expect.poll(async () => (await entry())['_SYSTEMD_CGROUP'], LONG).toMatch(new RegExp(`^${RegExp.escape(group)}/`));
    expect(await systemctl('stop', 'said')).toBe('');
    await host.succeed(['quadlet', 'rm', 'said.container']);
  });
});

describe.skipIf(!canRunContainers)('LISTEN_FDS', () => {
  beforeEach(async () => {
    host = await loadedHost();
  });
  afterEach(async () => host[Symbol.asyncDispose]());

  const run = 'lichen run --rm --network=none';
  const show = `${BUSYBOX} sh -c 'echo "[$LISTEN_FDS]"; ls /proc/self/fd | wc -l'`;

  test.each([
    ['meant for a process that kept them', `LISTEN_FDS=1 LISTEN_PID=1 ${run} ${show}`, { exitCode: 0, stdout: '[]\n4\n', stderr: '' }],
    ['none', `LISTEN_FDS=0 ${run} ${show}`, { exitCode: 0, stdout: '[]\n4\n', stderr: '' }],
    ['passed', `exec 3</dev/null; LISTEN_FDS=1 ${run} ${show}`, { exitCode: 0, stdout: '[1]\n5\n', stderr: '' }],
    [
      'not a number',
      `LISTEN_FDS=x ${run} ${show}`,
      { exitCode: 126, stdout: '', stderr: 'Error: converting LISTEN_FDS=x: strconv.Atoi: parsing "x": invalid syntax\n' },
    ],
    [
      'promised to us and not there',
      `export LISTEN_FDS=1 LISTEN_PID=$$; exec ${run} ${show}`,
      { exitCode: 126, stdout: '', stderr: 'Error: file descriptor 3 is not available - LISTEN_FDS=1 says that it is passed\n' },
    ],
    [
      'beside --preserve-fds',
      `exec 3</dev/null; LISTEN_FDS=1 ${run} --preserve-fds=1 ${show}`,
      {
        exitCode: 0,
        stdout: '[]\n5\n',
        stderr: expect.stringContaining('Ignoring LISTEN_FDS to preserve custom user-specified FDs') as string,
      },
    ],
  ])('%s', async (_, script, said) => {
    expect(await host.run(sh(script))).toMatchObject(said);
  });
});
