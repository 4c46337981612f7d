/** poll(2) over several descriptors: for processes that wait for all they do in one place, without the threads of an event loop. */
import { bind, check, errno, ERRNO } from './libc.ts';

export const POLLIN = 0x1;
export const POLLOUT = 0x4;

export interface Watched {
  readonly fd: number;
  /** 0: only that its other side has gone, or an error. */
  readonly events: number;
}

/** Of struct pollfd: the descriptor, what is asked for (at 4), what is there (at 6). */
const POLLFD_BYTES = 8;
const nativePoll = bind('int poll(_Inout_ uint8_t *fds, ulong count, int timeout)');

/** Blocks the thread, without end where `timeoutMs` is -1. What is there, entry by entry; undefined when a signal came first. */
export function poll(watched: readonly Watched[], timeoutMs: number): readonly number[] | undefined {
  const fds = Buffer.alloc(watched.length * POLLFD_BYTES);
  for (const [index, { fd, events }] of watched.entries()) {
    fds.writeInt32LE(fd, index * POLLFD_BYTES);
    fds.writeInt16LE(events, index * POLLFD_BYTES + 4);
  }
  if (nativePoll(fds, watched.length, timeoutMs) === -1) {
    if (errno() !== ERRNO.EINTR) check(-1, 'poll', `${watched.length} descriptors`);
    return undefined;
  }
  return watched.map((_, index) => fds.readInt16LE(index * POLLFD_BYTES + 6));
}
