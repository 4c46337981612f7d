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

/** Those that a service manager passes (`count`, from 3 on) stay open when this process becomes another program. */
export function keepThroughExec(count: number): void {
  for (let fd = 3; fd < 3 + count && isPassedOn(fd); fd++) check(setFlags(fd, F_SETFD, 0), 'fcntl', `fd ${fd}`);
}
