/** Reading and writing descriptors that never block. */
import { readSync, writeSync } from 'node:fs';
import { bind, check } from './libc.ts';

const F_GETFL = 3;
const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
const fcntl = bind('int fcntl(int fd, int command, int argument)');

/** Of everybody who has the same open file, too. Throws SYSCALL. */
export function neverBlock(fd: number): void {
  const flags = check(fcntl(fd, F_GETFL, 0), 'fcntl', `fd ${fd}`);
  check(fcntl(fd, F_SETFL, flags | O_NONBLOCK), 'fcntl', `fd ${fd}`);
}

/** How many bytes came, 0 at the end; undefined where nothing is there yet. An error is an end: a terminal's that no program has open, too. */
export function readReady(fd: number, buffer: Buffer): number | undefined {
  try {
    return readSync(fd, buffer);
  } catch (error) {
    // The other side of a socket has gone without reading all of ours: told once, and what it had sent before still waits behind it.
    return isBusy(error) || (error as NodeJS.ErrnoException).code === 'ECONNRESET' ? undefined : 0;
  }
}

/** How many bytes were taken, undefined where there is no room, -1 where nobody reads any more. */
export function writeReady(fd: number, bytes: Uint8Array): number | undefined {
  try {
    return writeSync(fd, bytes);
  } catch (error) {
    return isBusy(error) ? undefined : -1;
  }
}

function isBusy(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'EAGAIN' || code === 'EINTR';
}
