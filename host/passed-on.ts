/** Descriptors that the caller of lichen left open for it. */
import { fstatSync, readlinkSync } from 'node:fs';
import { bind, check } from './libc.ts';

const F_SETFD = 2;
const setFlags = bind('int fcntl(int fd, int command, int flags)');

/** Is it one of those? Node sets close-on-exec on all of them, so that tells nothing; what it is does. */
export function isPassedOn(fd: number): boolean {
  try {
    fstatSync(fd);
    // Not one of the event loop's own.
    return !readlinkSync(`/proc/self/fd/${fd}`).startsWith('anon_inode:');
  } catch {
    return false;
  }
}

/** They stay open when this process becomes another program. What was not passed on is left as it is. */
export function keepThroughExec(fds: readonly number[]): void {
  for (const fd of fds) if (isPassedOn(fd)) check(setFlags(fd, F_SETFD, 0), 'fcntl', `fd ${fd}`);
}
