/** Containers as services of a real `systemd --user`: what docs/systemd.md says, as it is written there, and sockets that systemd opens. */
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freePort, type TestHost } from '../host/host.ts';
import { BUSYBOX, canRunContainers, loadedHost, removeNow, sh } from '../host/loaded.ts';
import { reboot } from '../host/reboot.ts';
import { canRunSystemd } from '../host/systemd.ts';

let host: TestHost;
const LONG = { timeout: 20_000 };

/** The commands of the document, with ports that are free. */
const [SERVICE = '', TIMER = '', PROXY = ''] = [
  ...readFileSync(new URL('../../docs/systemd.md', import.meta.url), 'utf8').matchAll(/```sh\n(.*?)```/gs),
].map(([, commands = '']) => commands);

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
    await systemctl('stop', 'container-*', 'web-proxy*', 'listening*');
    await removeNow(host, '--all');
    await host[Symbol.asyncDispose]();
  });

  test('three commands make a service that is there after a reboot', async () => {
    const port = await freePort();
    await follow(SERVICE, { 8080: port });
    await expect.poll(() => answer(port), LONG).toContain('404 Not Found');
    const before = await host.succeed(['inspect', '-f', '{{.Id}}', 'web']);
    await reboot(host, { systemd: true });
    await expect.poll(() => systemctl('is-active', 'container-web'), LONG).toBe('active');
    await expect.poll(() => answer(port), LONG).toContain('404 Not Found');
    expect(await host.succeed(['inspect', '-f', '{{.Id}}', 'web'])).not.toBe(before);
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
    expect(await host.succeed(['ps', '-aq'])).toBe('');
    // The proxy is up before the server is.
    await expect.poll(() => answer(outside), LONG).toContain('404 Not Found');
    expect(await host.succeed(['ps', '--format', '{{.Names}}'])).toBe('lazy');
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
