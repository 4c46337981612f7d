/** Text out through a file descriptor, at once. process.stdout would cost its start and hold output back until the loop turns. */
import { fstatSync, writeSync } from 'node:fs';

export interface Printer {
  readonly fd: number;
  write(text: string | Uint8Array): void;
  line(text: string): void;
  isTerminal(): boolean;
  /** Columns of the terminal; undefined where there is none. */
  columns(): number | undefined;
}

/** The reader of a pipe went away: the door ends quietly, as SIGPIPE would end another program. */
export class OutputClosed extends Error {}

export function printerTo(fd: number): Printer {
  return {
    fd,
    write: (text) => writeAll(fd, typeof text === 'string' ? Buffer.from(text) : text),
    line: (text) => writeAll(fd, Buffer.from(`${text}\n`)),
    // What is no device needs no look by node:tty, which takes milliseconds to load.
    isTerminal: () => fstatSync(fd).isCharacterDevice() && tty().isatty(fd),
    columns: () => (tty().isatty(fd) ? new (tty().WriteStream)(fd).columns : undefined),
  };
}

/** Output that goes nowhere (`--noout`). */
export function printerToNothing(fd: number): Printer {
  return { fd, write: () => undefined, line: () => undefined, isTerminal: () => false, columns: () => undefined };
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let written = 0;
  while (written < bytes.length) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'EPIPE') throw new OutputClosed();
      // A pipe or terminal that another process made non-blocking is full: wait until its reader has caught up.
      if (code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function tty(): typeof import('node:tty') {
  return process.getBuiltinModule('node:tty');
}
