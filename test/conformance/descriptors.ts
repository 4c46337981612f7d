/** Of containers of which a descriptor comes through a socket: the other end of a terminal (config.md#process), the listener of a seccomp filter. */
import { expect } from 'vitest';
import type { RunningCommand } from '../host/host.ts';
import type { Bench } from './bench.ts';
import { configFor } from './config.ts';
import { Sheet } from './facts.ts';
import { requirement, type Requirement } from './requirement.ts';

const ID = 'terminal';

const socketOf = (bench: Bench, name: string) => `${bench.home}/${name}.sock`;

async function listen(bench: Bench, name: string): Promise<RunningCommand> {
  const program = ['/opt/lichen/scripts/node.sh', '/opt/lichen/test/fixtures/descriptor-socket.ts', socketOf(bench, name)];
  const receiver = bench.host.spawn(['sh', ...program]);
  await receiver.waitForOutput(/listening/);
  return receiver;
}

const sheet = new Sheet(async (bench, script) => {
  await using receiver = await listen(bench, 'console');
  const config = configFor(bench, ID, script, { process: { terminal: true, consoleSize: { height: 30, width: 100 } } });
  const created = await bench.create(ID, await bench.bundle(config), '--console-socket', socketOf(bench, 'console'));
  if (created.exitCode !== 0) throw new Error(`${created.stdout}\n${created.stderr}`);
  const started = await bench.call(['start', ID]);
  const { stdout } = await receiver.finish();
  await bench.reaches(ID, 'stopped');
  await bench.call(['delete', ID]);
  return `${started.stderr}\n${stdout.replaceAll('\r\n', '\n')}`;
});

sheet.row(
  'config.md#process',
  'with terminal stdin, stdout and stderr are a terminal of the container',
  'for fd in 0 1 2; do readlink /proc/1/fd/$fd; done',
  '/dev/pts/0|/dev/pts/0|/dev/pts/0',
);
sheet.row('config.md#process', 'the terminal is the controlling one of the program', `awk '{ print $7 }' /proc/1/stat`, '34816');
sheet.row('config.md#process', 'the terminal has consoleSize', 'stty size < /dev/tty', '30 100');
sheet.row(
  'config-linux.md#default-devices',
  'with a terminal /dev/console is that terminal',
  'stat -c %t:%T /dev/console; test -c /dev/console && echo device',
  /^88:0\|device$/,
);

/** The listener is closed as soon as it has come, so that a call that waits for its word fails. */
async function notify(bench: Bench): Promise<{ readonly sent: string; readonly told: string }> {
  const id = 'listener';
  await using receiver = await listen(bench, id);
  const syscalls = [{ names: ['chown', 'fchownat', 'lchown'], action: 'SCMP_ACT_NOTIFY' }];
  const seccomp = { defaultAction: 'SCMP_ACT_ALLOW', listenerPath: socketOf(bench, id), listenerMetadata: 'of the test', syscalls };
  const config = configFor(bench, id, 'chown 0:0 /srv/work 2>&1; exit 0', { linux: { seccomp } });
  const told = await bench.run(id, await bench.bundle(config));
  const { stdout } = await receiver.finish();
  return { sent: stdout.slice(stdout.indexOf('{')), told };
}

export const DESCRIPTORS: readonly Requirement[] = [
  ...sheet.rows,
  requirement('config-linux.md#seccomp', 'NOTIFY leaves a call to the listener', async (bench) => {
    expect((await bench.once(notify)).told).toMatch(/Function not implemented/);
  }),
  requirement(
    'config-linux.md#container-process-state',
    'the listener comes with the state of the process and listenerMetadata',
    async (bench) => {
      expect(JSON.parse((await bench.once(notify)).sent)).toMatchObject({
        ociVersion: expect.any(String),
        fds: ['seccompFd'],
        pid: expect.any(Number),
        metadata: 'of the test',
        state: { id: 'listener', status: expect.any(String), pid: expect.any(Number), bundle: expect.stringMatching(/^\//) },
      });
    },
  ),
];
