import { chmodSync, constants, copyFileSync, lchownSync, linkSync, mkdirSync, readlinkSync, symlinkSync, type BigIntStats } from 'node:fs';
import { setImmediate as breathe } from 'node:timers/promises';
import { makeSpecialFile } from '../../host/mknod.ts';
import { fileTime, setTimes } from '../../host/times.ts';
import { getXattr, listXattrs, setXattr } from '../../host/xattr.ts';
import { errnoOf, ERRNO } from '../../host/libc.ts';
import { walkTree } from './walk.ts';

export interface CopyOptions {
  /** Attributes for which it is false are left behind. Default: all are taken along. */
  readonly keepXattr?: (name: string) => boolean;
  readonly signal?: AbortSignal;
}

/** Entries copied before other work of the process gets its turn. */
const STRETCH = 512;

/**
 * Copy what `from` holds into the existing directory `to`, which gets the attributes of `from`. Modes, owners, times to the nanosecond, extended
 * attributes, links among the files, special files; file contents are shared with the original where the file system can (reflink).
 * What a user namespace does not allow (devices, trusted.* attributes) is left out. Names in `to` must be free.
 * The tree `from` must not be changed by others meanwhile.
 */
export async function copyTree(from: string, to: string, options: CopyOptions = {}): Promise<void> {
  const copy = new TreeCopy(Buffer.from(`${to}/`), options.keepXattr ?? (() => true));
  let count = 0;
  for (const { path, relative, stat } of walkTree(from)) {
    copy.add(path, relative, stat);
    if (++count % STRETCH !== 0) continue;
    await breathe();
    options.signal?.throwIfAborted();
  }
  copy.finish();
}

/** Copies entries one by one, given in an order in which directories come before what they hold. */
export class TreeCopy {
  readonly #to: Buffer;
  readonly #keepXattr: (name: string) => boolean;
  /** First copy of a file with several names, by inode. */
  readonly #linked = new Map<string, Buffer>();
  readonly #directories: { readonly target: Buffer; readonly stat: BigIntStats }[] = [];

  constructor(to: Buffer, keepXattr: (name: string) => boolean) {
    this.#to = to;
    this.#keepXattr = keepXattr;
  }

  /** `relative`: its place below the target, empty for the top. */
  add(path: Buffer, relative: Buffer, stat: BigIntStats): void {
    const target = Buffer.concat([this.#to, relative.length === 0 ? DOT : relative]);
    const linked = this.#linkTo(target, stat);
    if (linked || !make(path, target, stat, relative.length === 0)) return;
    lchownSync(target, Number(stat.uid), Number(stat.gid));
    if (!stat.isSymbolicLink()) chmodSync(target, Number(stat.mode & 0o7777n));
    this.#copyXattrs(path, target);
    if (stat.isDirectory()) this.#directories.push({ target, stat });
    else setTimes(target, fileTime(stat.mtimeNs), fileTime(stat.atimeNs));
  }

  /** Filling a directory changes its time, so those come last. */
  finish(): void {
    for (const { target, stat } of this.#directories) setTimes(target, fileTime(stat.mtimeNs), fileTime(stat.atimeNs));
  }

  #linkTo(target: Buffer, stat: BigIntStats): boolean {
    if (stat.nlink < 2n || stat.isDirectory()) return false;
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#linked.get(key);
    if (first === undefined) this.#linked.set(key, target);
    else linkSync(first, target);
    return first !== undefined;
  }

  #copyXattrs(path: Buffer, target: Buffer): void {
    for (const name of listXattrs(path)) {
      if (!this.#keepXattr(name)) continue;
      const value = getXattr(path, name);
      if (value !== undefined) allowed(() => setXattr(target, name, value));
    }
  }
}

const DOT = Buffer.from('.');

/** False when this kind of file cannot be made here. */
function make(path: Buffer, target: Buffer, stat: BigIntStats, top: boolean): boolean {
  if (stat.isDirectory()) {
    if (!top) mkdirSync(target, 0o700);
  } else if (stat.isSymbolicLink()) {
    symlinkSync(readlinkSync(path, { encoding: 'buffer' }), target);
  } else if (stat.isFile()) {
    copyFileSync(path, target, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  } else if (stat.isFIFO()) {
    makeSpecialFile(target, { type: 'fifo' }, 0o600);
  } else if (stat.isSocket()) {
    return false;
  } else {
    const type = stat.isBlockDevice() ? ('block' as const) : ('char' as const);
    return allowed(() => makeSpecialFile(target, { type, ...deviceOf(stat.rdev) }, 0o600));
  }
  return true;
}

/** False when the kernel or the file system does not permit it. */
function allowed(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    const number = errnoOf(error);
    if (number === ERRNO.EPERM || number === ERRNO.EOPNOTSUPP) return false;
    throw error;
  }
}

/** glibc's major() and minor() (sys/sysmacros.h). */
export function deviceOf(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 32n) & 0xfffff000n) | ((rdev >> 8n) & 0xfffn)),
    minor: Number(((rdev >> 12n) & 0xffffff00n) | (rdev & 0xffn)),
  };
}
