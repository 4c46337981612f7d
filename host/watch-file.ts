/** inotify(7) as a plain descriptor. */
import { closeSync } from 'node:fs';
import { bind, check } from './libc.ts';

const IN_MODIFY = 0x2;
const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const inotifyInit = bind('int inotify_init1(int flags)');
const inotifyAdd = bind('int inotify_add_watch(int fd, const char *path, uint32_t mask)');

/** Becomes readable when the file changes. Undefined where it is not there, or no more files can be watched. */
export function watchFile(path: string): number | undefined {
  const fd = inotifyInit(IN_NONBLOCK | IN_CLOEXEC);
  if (fd === -1) return undefined;
  try {
    check(inotifyAdd(fd, path, IN_MODIFY), 'inotify_add_watch', path);
    return fd;
  } catch {
    closeSync(fd);
    return undefined;
  }
}
