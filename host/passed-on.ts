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

/** Those that the command line or LISTEN_FDS name stay open when this process becomes another program. What was not passed on is left as it is. */
export function keepThroughExec(args: readonly string[], listenFds: string | undefined): void {
  for (const fd of namedDescriptors(args, listenFds)) if (isPassedOn(fd)) check(setFlags(fd, F_SETFD, 0), 'fcntl', `fd ${fd}`);
}

/** The soft limit of most processes: whoever promises more has not kept it. */
const MOST = 1024;

/** Those that a service manager passes, and those of `--preserve-fds N` and `--preserve-fd A,B`: whether they are there is looked at later. */
function namedDescriptors(args: readonly string[], listenFds: string | undefined): readonly number[] {
  const first = (count: string | undefined): number[] =>
    Array.from({ length: Math.min(Number(count) || 0, MOST) }, (_, index) => 3 + index);
  const named = args.flatMap((word, index) => {
    const [, flag, value = args[index + 1]] = /^--preserve-fd(s?)(?:=(.*))?$/.exec(word) ?? [];
    if (flag === undefined) return [];
    return flag === 's' ? first(value) : (value ?? '').split(',').map(Number);
  });
  return [...new Set([...first(listenFds), ...named])].filter((fd) => fd > 2);
}
