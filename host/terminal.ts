/** The caller's terminal: raw mode, size, resizes. */
import { WriteStream } from 'node:tty';
import { bind, check } from './libc.ts';

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export function isTerminal(fd: 0 | 1 | 2): boolean {
  return streamOf(fd).isTTY === true;
}

/** The size of the terminal on stdout, else stdin or stderr; undefined where none of them is one. */
export function terminalSize(): TerminalSize | undefined {
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.isTTY && stream.rows > 0) return { rows: stream.rows, columns: stream.columns };
  }
  if (process.stdin.isTTY) {
    const [columns, rows] = new WriteStream(0).getWindowSize();
    if (rows > 0) return { rows, columns };
  }
  return undefined;
}

/** Of the terminal that `fd` is, or is the master of. Throws SYSCALL. */
export function setTerminalSize(fd: number, { rows, columns }: TerminalSize): void {
  const size = Buffer.alloc(8);
  size.writeUInt16LE(rows, 0);
  size.writeUInt16LE(columns, 2);
  check(ioctl(fd, TIOCSWINSZ, size), 'ioctl', `terminal ${fd}`);
}

/** Raw mode on stdin until disposed; restored also when the process exits by other ways. A stdin that is no terminal is left alone. */
export function rawMode(): Disposable {
  const before = Buffer.alloc(TERMIOS_BYTES);
  if (tcgetattr(0, before) === -1) return { [Symbol.dispose]: () => undefined };
  // Not setRawMode(): Node's leaves output processing on, and every newline of a full-screen program would come with a carriage return.
  const raw = Buffer.from(before);
  cfmakeraw(raw);
  check(tcsetattr(0, TCSADRAIN, raw), 'tcsetattr', 'stdin');
  const restore = (): void => void tcsetattr(0, TCSADRAIN, before);
  process.once('exit', restore);
  return {
    [Symbol.dispose]: () => {
      process.off('exit', restore);
      restore();
    },
  };
}

/**
 * What is typed at the terminal on stdin is not shown until disposed: for secrets. Lines are still edited, and ctrl-c still interrupts.
 * Restored too when the process exits or is ended by a signal that can be caught. Undefined where stdin is no terminal.
 */
export function hideTyping(): Disposable | undefined {
  const before = Buffer.alloc(TERMIOS_BYTES);
  if (tcgetattr(0, before) === -1) return undefined;
  const hidden = Buffer.from(before);
  const flags = hidden.readUInt32LE(LOCAL_FLAGS_OFFSET);
  hidden.writeUInt32LE((flags & ~ECHO) >>> 0, LOCAL_FLAGS_OFFSET);
  check(tcsetattr(0, TCSAFLUSH, hidden), 'tcsetattr', 'stdin');
  const restore = (): void => void tcsetattr(0, TCSADRAIN, before);
  const die = (signal: NodeJS.Signals): void => {
    dispose();
    process.kill(process.pid, signal);
  };
  const dispose = (): void => {
    process.off('exit', restore);
    for (const signal of ENDING) process.off(signal, die);
    restore();
  };
  process.once('exit', restore);
  for (const signal of ENDING) process.on(signal, die);
  return { [Symbol.dispose]: dispose };
}

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const;
/** c_lflag comes after three flag words of four bytes, with either C library. */
const LOCAL_FLAGS_OFFSET = 12;
const ECHO = 0o10;
const TCSAFLUSH = 2;

/** struct termios (termios(3)) takes 60 bytes with either C library. */
const TERMIOS_BYTES = 128;
const TCSADRAIN = 1;
const TIOCSWINSZ = 0x5414;
const ioctl = bind('int ioctl(int fd, ulong request, const uint8_t *argument)');
const tcgetattr = bind('int tcgetattr(int fd, _Inout_ uint8_t *termios)');
const tcsetattr = bind('int tcsetattr(int fd, int when, const uint8_t *termios)');
const cfmakeraw = bind('void cfmakeraw(_Inout_ uint8_t *termios)');

/** Calls back on every SIGWINCH until disposed. */
export function onResize(callback: (size: TerminalSize) => void): Disposable {
  const listener = (): void => {
    // Node refreshes its cached size on the same signal, before or after us: look when both have run.
    setImmediate(() => {
      const size = terminalSize();
      if (size) callback(size);
    });
  };
  process.on('SIGWINCH', listener);
  return { [Symbol.dispose]: () => void process.off('SIGWINCH', listener) };
}

function streamOf(fd: 0 | 1 | 2): { isTTY?: boolean } {
  return fd === 0 ? process.stdin : fd === 1 ? process.stdout : process.stderr;
}
