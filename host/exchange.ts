import { bind, check, errno, ERRNO } from './libc.ts';

const AT_FDCWD = -100;
const RENAME_EXCHANGE = 2;
const nativeRename = bind('int renameat2(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, uint flags)');

/**
 * Both paths name something at every moment, each what the other named before (renameat2(2), RENAME_EXCHANGE; glibc 2.28).
 * False where the file system cannot do that; then nothing has changed. Throws SYSCALL.
 */
export function exchange(one: string, other: string): boolean {
  if (nativeRename(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE) === 0) return true;
  if (errno() === ERRNO.EINVAL) return false;
  check(-1, 'renameat2', `${one} and ${other}`);
  return false;
}
