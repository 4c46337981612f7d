/** The container's root as its deputy sees it while it is made: every name in it is resolved inside it (openat2(2), RESOLVE_IN_ROOT). */
import { constants } from 'node:fs';
import type { CallsResult, Deputy } from '../../host/deputy/deputy.ts';
import { ANY, argumentOf, OUT, type Step } from '../../host/deputy/layout.ts';
import { ERRNO, syscallError } from '../../host/libc.ts';
import { O_PATH } from '../../host/root.ts';

export const O_CLOEXEC = 0o2000000;
export const AT_FDCWD = -100;
/** statfs(2) */
export const PROC_SUPER_MAGIC = 0x9fa0;
export const AT_EMPTY_PATH = 0x1000;
const RESOLVE_NO_MAGICLINKS = 0x02;
const RESOLVE_NO_SYMLINKS = 0x04;
const RESOLVE_IN_ROOT = 0x10;
const MOVE_MOUNT_BOTH_EMPTY = 0x04 | 0x40;
const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;
const STATX_MODE_OFFSET = 28;
const STATX_RDEV_OFFSET = 128;
const STATX_BYTES = 256;

export interface InnerStat {
  readonly isDirectory: boolean;
  readonly mode: number;
  readonly major: number;
  readonly minor: number;
}

export class InnerRoot {
  readonly deputy: Deputy;
  /** In the deputy's table. */
  readonly fd: number;

  constructor(deputy: Deputy, fd: number) {
    this.deputy = deputy;
    this.fd = fd;
  }

  /** The call that opens `path`. */
  opening(path: string, flags: number = O_PATH, options: { mode?: number; noLinks?: boolean } = {}): Omit<Step, 'store'> {
    const how = Buffer.alloc(24);
    how.writeBigUInt64LE(BigInt(flags | O_CLOEXEC), 0);
    how.writeBigUInt64LE(BigInt(options.mode ?? 0), 8);
    how.writeBigUInt64LE(BigInt(RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | (options.noLinks ? RESOLVE_NO_SYMLINKS : 0)), 16);
    return { call: 'openat2', args: [this.fd, path, how, how.length] };
  }

  /** A descriptor of the deputy's. Throws SYSCALL. */
  open(path: string, flags: number = O_PATH, options: { mode?: number; noLinks?: boolean } = {}): number {
    return this.deputy.mustCall([this.opening(path, flags, options)], path);
  }

  /** The same; undefined where nothing has the name. */
  openIfThere(path: string, flags: number = O_PATH, options: { noLinks?: boolean } = {}): number | undefined {
    const { result, failed } = this.deputy.calls([this.opening(path, flags, options)]);
    if (failed === undefined) return result;
    if (failed.errno === ERRNO.ENOENT || failed.errno === ERRNO.ENOTDIR) return undefined;
    throw syscallError('open', path, failed.errno);
  }

  /** Make the directories above `path` that are missing, and it itself: a directory, or an empty file. */
  make(path: string, kind: 'directory' | 'file'): void {
    const parts = path.split('/').filter((part) => part !== '' && part !== '.');
    const directories = kind === 'directory' ? parts.length : parts.length - 1;
    const steps: Step[] = [];
    for (let depth = 0; depth < directories; depth++) {
      const at = steps.length;
      steps.push(
        { ...this.opening(`/${parts.slice(0, depth).join('/')}`, O_PATH | constants.O_DIRECTORY), store: argumentOf(at + 1, 0) },
        { call: 'mkdirat', args: [0, parts[depth]!, 0o755], least: ANY, store: OUT },
      );
    }
    if (kind === 'file') {
      // A mount cannot become read-only while something on it is open for writing.
      const opening = this.opening(path, constants.O_CREAT | constants.O_WRONLY, { mode: 0o644 });
      steps.push({ ...opening, store: argumentOf(steps.length + 1, 0) }, { call: 'close', args: [0] });
    }
    // The directories that were opened on the way are closed with the rest, by the last call before the program.
    if (steps.length > 0) this.deputy.mustCall(steps, path);
  }

  stat(fd: number): InnerStat {
    const { result, out } = this.deputy.query('statx', [fd, '', AT_EMPTY_PATH, 0x7ff, OUT], STATX_BYTES);
    if (result < 0) throw syscallError('statx', `descriptor ${fd}`, -result);
    const mode = out.readUInt16LE(STATX_MODE_OFFSET);
    return {
      isDirectory: (mode & S_IFMT) === S_IFDIR,
      mode,
      major: out.readUInt32LE(STATX_RDEV_OFFSET),
      minor: out.readUInt32LE(STATX_RDEV_OFFSET + 4),
    };
  }

  /** Put the mount `tree` on `path`; what is missing there is made. Throws SYSCALL. */
  attach(tree: number, path: string, kind: 'directory' | 'file', options: { noLinks?: boolean } = {}): void {
    const attempt = (): CallsResult =>
      this.deputy.calls([
        { ...this.opening(path, O_PATH, options), store: argumentOf(1, 2) },
        { call: 'move_mount', args: [tree, '', 0, '', MOVE_MOUNT_BOTH_EMPTY] },
        { call: 'close', args: [tree] },
      ]);
    let { failed } = attempt();
    if (failed?.index === 0 && failed.errno === ERRNO.ENOENT) {
      this.make(path, kind);
      failed = attempt().failed;
    }
    if (failed !== undefined) throw syscallError(failed.index === 0 ? 'open' : 'mount', path, failed.errno);
  }
}

/** Which file system (statfs(2)) a descriptor lies on. */
export function fileSystemOf(deputy: Deputy, fd: number): number {
  const { result, out } = deputy.query('fstatfs', [fd, OUT], 120);
  if (result < 0) throw syscallError('fstatfs', `descriptor ${fd}`, -result);
  return out.readUInt32LE(0);
}
