/** A process, named so that a recycled pid is not mistaken for it. */
import { readFileSync } from 'node:fs';
import { bind, bindAsync, check, errno, ERRNO } from './libc.ts';

/** `startTime`: clock ticks since boot, proc(5) stat field 22. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startTime: number;
}

/** Undefined when there is no such process. A zombie counts as gone. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readStat(pid);
  return stat && stat.state !== 'Z' && stat.state !== 'X' ? { pid, startTime: stat.startTime } : undefined;
}

export function isAlive(process: ProcessIdentity): boolean {
  return identify(process.pid)?.startTime === process.startTime;
}

/** Signal exactly this process, never one that got its pid later. False if it is gone. Throws SYSCALL (EPERM). */
export function signalProcess(process: ProcessIdentity, signal: number): boolean {
  const fd = openPidFd(process);
  if (fd === undefined) return false;
  try {
    return signalPidFd(fd, signal);
  } finally {
    closeFd(fd);
  }
}

/** False if the process is gone. Throws SYSCALL (EPERM). */
export function signalPidFd(fd: number, signal: number): boolean {
  if (pidfdSendSignal(SYS_PIDFD_SEND_SIGNAL, fd, signal, null, 0) === 0) return true;
  if (errno() === ERRNO.ESRCH) return false;
  check(-1, 'pidfd_send_signal', `signal ${signal}`);
  return false;
}

/** Resolves true when the process is gone, false after `timeoutMs`. It need not be our child. */
export async function waitForEnd(process: ProcessIdentity, timeoutMs: number): Promise<boolean> {
  const fd = openPidFd(process);
  if (fd === undefined) return true;
  try {
    const pollFd = Buffer.alloc(8);
    pollFd.writeInt32LE(fd, 0);
    pollFd.writeInt16LE(1, 4);
    const deadline = Date.now() + timeoutMs;
    for (;;) {
      // Bounded slices: poll(2) sits on a worker thread, and an endless one would keep it from the others.
      const left = Math.min(deadline - Date.now(), 1000);
      if (left < 0) return !isAlive(process);
      const { result } = await pollAsync(pollFd, 1, Math.ceil(left));
      if (result === 1) return true;
    }
  } finally {
    closeFd(fd);
  }
}

// glibc has wrappers only since 2.36; the numbers are the same on every architecture (syscalls(2)).
const SYS_PIDFD_SEND_SIGNAL = 424;
const SYS_PIDFD_OPEN = 434;
const pidfdOpen = bind('long syscall(long number, int pid, uint flags)');
const pidfdSendSignal = bind('long syscall(long number, int pidfd, int sig, void *info, uint flags)');
const closeFd = bind('int close(int fd)');
const pollAsync = bindAsync('int poll(_Inout_ uint8_t *fds, ulong nfds, int timeout)');

/** A pidfd of a child that has not been reaped, whether it lives or not: until then its pid is its own. Throws SYSCALL. */
export function openChildPidFd(pid: number): number {
  return check(pidfdOpen(SYS_PIDFD_OPEN, pid, 0), 'pidfd_open', `pid ${pid}`);
}

/** A pidfd of the very process, for the caller to close, or undefined when it is gone. Opened first, compared after: no window for reuse. */
export function openPidFd(process: ProcessIdentity): number | undefined {
  const fd = pidfdOpen(SYS_PIDFD_OPEN, process.pid, 0);
  if (fd === -1) {
    if (errno() === ERRNO.ESRCH || errno() === ERRNO.EINVAL) return undefined;
    check(-1, 'pidfd_open', `pid ${process.pid}`);
  }
  if (isAlive(process)) return fd;
  closeFd(fd);
  return undefined;
}

function readStat(pid: number): { state: string; startTime: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  // The command name stands in parentheses and may hold anything: count fields from the last one.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[19]) };
}
