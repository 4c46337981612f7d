/** A directory tree that someone else filled: names inside it are resolved inside it, whatever its symbolic links say. */
import { closeSync, constants, fchownSync, openSync } from 'node:fs';
import { bind, errno, ERRNO, errnoOf, syscallError } from './libc.ts';

// openat2(2); the same number on every architecture.
const SYS_OPENAT2 = 437;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_IN_ROOT = 0x10;
const O_CLOEXEC = 0o2000000;
export const O_PATH = 0o10000000;

const openat2 = bind('long syscall(long number, int dirfd, const uint8_t *path, const uint8_t *how, size_t size)');
const nativeMkdirat = bind('int mkdirat(int dirfd, const uint8_t *path, uint mode)');
const nativeSymlinkat = bind('int symlinkat(const uint8_t *target, int dirfd, const uint8_t *path)');

export class Root implements Disposable {
  readonly path: string;
  readonly fd: number;

  constructor(path: string) {
    this.path = path;
    this.fd = openSync(path, O_PATH | constants.O_DIRECTORY | O_CLOEXEC);
  }

  /**
   * Open `path` as a process whose root this is would see it. The caller closes the descriptor.
   * Throws SYSCALL with errno (ENOENT, ELOOP, ENOTDIR …), see errnoOf.
   */
  open(path: string | Buffer, flags: number = constants.O_RDONLY, mode = 0): number {
    const how = Buffer.alloc(24);
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    how.writeBigUInt64LE(BigInt(mode), 8);
    how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS), 16);
    const fd = openat2(SYS_OPENAT2, this.fd, cPath(path), how, how.length);
    if (fd === -1) throw syscallError('open', `${path.toString()} in ${this.path}`, errno());
    return fd;
  }

  /** Make one directory; its parent must exist and is resolved inside. An existing directory is fine. */
  mkdir(path: string, mode = 0o755): void {
    const slash = path.replace(/\/+$/, '').lastIndexOf('/');
    const parent = this.open(slash <= 0 ? '/' : path.slice(0, slash), O_PATH | constants.O_DIRECTORY);
    try {
      const name = path.slice(slash + 1).replace(/\/+$/, '');
      if (nativeMkdirat(parent, cPath(name), mode) === -1 && errno() !== ERRNO.EEXIST)
        throw syscallError('mkdir', `${path} in ${this.path}`, errno());
    } finally {
      closeSync(parent);
    }
  }

  /** Make a symbolic link that may say anything; its directory must exist and is resolved inside. What has the name already stays. */
  symlink(target: string, directory: string, name: string): void {
    const parent = this.open(directory, O_PATH | constants.O_DIRECTORY);
    try {
      if (nativeSymlinkat(cPath(target), parent, cPath(name)) === -1 && errno() !== ERRNO.EEXIST)
        throw syscallError('symlink', `${directory}/${name} in ${this.path}`, errno());
    } finally {
      closeSync(parent);
    }
  }

  /** Make a directory and the missing ones above it; those made here belong to `owner`. */
  makeDirectories(path: string, owner: { readonly uid: number; readonly gid: number }): void {
    const parts = path.split('/').filter((part) => part !== '');
    for (let depth = 1; depth <= parts.length; depth++) {
      const partial = `/${parts.slice(0, depth).join('/')}`;
      if (this.exists(partial)) continue;
      this.mkdir(partial);
      const fd = this.open(partial, constants.O_RDONLY | constants.O_DIRECTORY);
      try {
        fchownSync(fd, owner.uid, owner.gid);
      } finally {
        closeSync(fd);
      }
    }
  }

  exists(path: string): boolean {
    try {
      closeSync(this.open(path, O_PATH));
      return true;
    } catch (error) {
      if (errnoOf(error) === ERRNO.ENOENT) return false;
      throw error;
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.fd);
  }
}

/** A path by which other calls reach an open descriptor, as long as it stays open. */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

function cPath(path: string | Buffer): Buffer {
  return Buffer.concat([typeof path === 'string' ? Buffer.from(path) : path, Buffer.of(0)]);
}
