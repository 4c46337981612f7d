/** A container's terminal from the other side: the runtime hands its master over at a socket (runc's and crun's `--console-socket`). */
import { closeSync } from 'node:fs';
import { bind, check } from './libc.ts';
import { receiveMessage } from './message.ts';
import type { TerminalSize } from './terminal.ts';

const TIOCSWINSZ = 0x5414;
/** struct termios (termios(3)) takes 60 bytes with either C library; c_oflag is its second flag word. */
const TERMIOS_BYTES = 128;
const OUTPUT_FLAGS_OFFSET = 4;
const ONLCR = 0o4;
const TCSANOW = 0;
/** What comes along is the terminal's name. */
const NAME_BYTES = 4096;

const ioctl = bind('int ioctl(int fd, ulong request, const uint8_t *size)');
const tcgetattr = bind('int tcgetattr(int fd, _Inout_ uint8_t *termios)');
const tcsetattr = bind('int tcsetattr(int fd, int when, const uint8_t *termios)');

/** The terminal that waits at the connection, undefined where none does yet. Throws SYSCALL. */
export function receiveConsole(connection: number): number | undefined {
  const [console, ...others] = receiveMessage(connection, NAME_BYTES)?.fds ?? [];
  for (const fd of others) closeSync(fd);
  return console;
}

/** Lines end with a carriage return: some runtimes switch that off, as a program that writes a file would want it. */
export function endLinesForScreen(console: number): void {
  const termios = Buffer.alloc(TERMIOS_BYTES);
  check(tcgetattr(console, termios), 'tcgetattr', 'console');
  termios.writeUInt32LE((termios.readUInt32LE(OUTPUT_FLAGS_OFFSET) | ONLCR) >>> 0, OUTPUT_FLAGS_OFFSET);
  check(tcsetattr(console, TCSANOW, termios), 'tcsetattr', 'console');
}

/** The programs in it are told (SIGWINCH). A terminal that is gone is fine. */
export function resizeConsole(console: number, { rows, columns }: TerminalSize): void {
  ioctl(console, TIOCSWINSZ, Buffer.from(Uint16Array.of(rows, columns, 0, 0).buffer));
}
