/** The terminal of a container's process: a pair of its own devpts, whose master goes to the console socket (runc's terminals.md). */
import { closeSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { Deputy } from '../../host/deputy/deputy.ts';
import { argumentOf, OUT } from '../../host/deputy/layout.ts';
import { syscallError } from '../../host/libc.ts';
import { connectStream } from '../../host/stream-socket.ts';
import type { Process } from '../config.ts';
import { AT_EMPTY_PATH, fileSystemOf, O_CLOEXEC, type InnerRoot } from './inner-root.ts';

const O_RDWR_NOCTTY = 0o2 | 0o400;
const TIOCSCTTY = 0x540e;
const TIOCSWINSZ = 0x5414;
const TIOCGPTPEER = 0x5441;
const TIOCSPTLCK = 0x4004_5431;
const TIOCGPTN = 0x8004_5430;
const DEVPTS_SUPER_MAGIC = 0x1cd1;
const OPEN_TREE_CLONE = 1;

/**
 * Its streams become a new terminal. Where the master goes: `console`, the path of a socket that somebody listens at, or to us, who close it.
 * `onConsole`: /dev/console is that terminal. Throws SYSCALL, INVALID_ARGUMENT.
 */
export function openTerminal(
  root: InnerRoot,
  process: Process,
  options: { readonly socket: string | undefined; readonly onConsole: boolean },
): number | undefined {
  const { deputy } = root;
  // Of the container's own instance, whatever /dev/ptmx may lead to.
  const master = root.open('/dev/pts/ptmx', O_RDWR_NOCTTY);
  if (fileSystemOf(deputy, master) !== DEVPTS_SUPER_MAGIC)
    throw new EngineError('INVALID_ARGUMENT', '/dev/pts is not a devpts: a terminal needs one');
  const unlock = Buffer.alloc(4);
  deputy.call('ioctl', [master, TIOCSPTLCK, unlock], 'terminal');
  const slave = deputy.call('ioctl', [master, TIOCGPTPEER, O_RDWR_NOCTTY | O_CLOEXEC], 'terminal');
  if (process.consoleSize !== undefined) setSize(deputy, master, process.consoleSize);
  const { uid = 0 } = process.user ?? {};
  // Its group stays the one that devpts gives it.
  deputy.call('fchownat', [slave, '', uid, 0xffff_ffff, AT_EMPTY_PATH], 'terminal');
  if (options.onConsole) bindConsole(root, master);
  deputy.call('setsid', []);
  for (const stream of [0, 1, 2]) deputy.call('dup3', [slave, stream, 0], 'terminal');
  deputy.call('ioctl', [0, TIOCSCTTY, 0], 'terminal');
  if (options.socket === undefined) return deputy.take(master);
  const connection = connectStream(options.socket);
  try {
    deputy.passOn(deputy.give(connection), master, '/dev/ptmx');
  } finally {
    closeSync(connection);
  }
  return undefined;
}

function setSize(deputy: Deputy, master: number, { height, width }: { readonly height: number; readonly width: number }): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(height, 0);
  size.writeUInt16LE(width, 2);
  deputy.call('ioctl', [master, TIOCSWINSZ, size], 'terminal');
}

function bindConsole(root: InnerRoot, master: number): void {
  const { result, out } = root.deputy.query('ioctl', [master, TIOCGPTN, OUT], 4);
  if (result < 0) throw syscallError('ioctl', 'terminal', -result);
  const tree = root.deputy.mustCall(
    [
      { ...root.opening(`/dev/pts/${out.readUInt32LE(0)}`), store: argumentOf(1, 0) },
      { call: 'open_tree', args: [0, '', OPEN_TREE_CLONE | O_CLOEXEC | AT_EMPTY_PATH] },
    ],
    '/dev/console',
  );
  root.attach(tree, '/dev/console', 'file', { noLinks: true });
}
