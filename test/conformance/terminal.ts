/** Of a container with a terminal, whose other end comes through the console socket (config.md#process). */
import { configFor } from './config.ts';
import { Sheet } from './facts.ts';

const ID = 'terminal';

const sheet = new Sheet(async (bench, script) => {
  const socket = `${bench.home}/console`;
  await using receiver = bench.host.spawn(['sh', '/opt/lichen/scripts/node.sh', '/opt/lichen/test/fixtures/console-socket.ts', socket]);
  await receiver.waitForOutput(/listening/);
  const config = configFor(bench, ID, script, { process: { terminal: true, consoleSize: { height: 30, width: 100 } } });
  const created = await bench.create(ID, await bench.bundle(config), '--console-socket', socket);
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

export const TERMINAL = sheet.rows;
