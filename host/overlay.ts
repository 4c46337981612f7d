/** overlayfs with more layers than one page of mount data can name: the mount API in steps (fsopen(2), Linux ≥ 6.5 for `lowerdir+`). */
import { closeSync, readSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { bind, check, errno, ERRNO, syscallError } from './libc.ts';

// The same numbers on every architecture.
const SYS_MOVE_MOUNT = 429;
const SYS_FSOPEN = 430;
const SYS_FSCONFIG = 431;
const SYS_FSMOUNT = 432;
const FSOPEN_CLOEXEC = 1;
const FSCONFIG_SET_FLAG = 0;
const FSCONFIG_SET_STRING = 1;
const FSCONFIG_CMD_CREATE = 6;
const FSMOUNT_CLOEXEC = 1;
const MOUNT_ATTR_RDONLY = 1;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const AT_FDCWD = -100;

const fsopen = bind('long syscall(long number, const char *type, uint flags)');
const fsconfig = bind('long syscall(long number, int fd, uint command, const char *key, const char *value, int aux)');
const fsmount = bind('long syscall(long number, int fd, uint flags, uint attributes)');
const moveMount = bind('long syscall(long number, int fromFd, const char *from, int toFd, const char *to, uint flags)');

export interface LayeredMount {
  /** Topmost first; relative ones are seen from the working directory. Each shorter than 256 bytes. */
  readonly lowers: readonly string[];
  readonly upper?: string | undefined;
  readonly work?: string | undefined;
  readonly merged: string;
  readonly readonly: boolean;
  /** Options without value: `userxattr`, `volatile`. */
  readonly extra: readonly string[];
}

/** Throws SYSCALL, with what the kernel logged about it; NOT_SUPPORTED where the kernel knows no `lowerdir+`. The kernel stops at 500 layers. */
export function mountOverlayLayers(request: LayeredMount): void {
  const fs = check(fsopen(SYS_FSOPEN, 'overlay', FSOPEN_CLOEXEC), 'fsopen', 'overlay');
  try {
    for (const flag of request.extra) configure(fs, FSCONFIG_SET_FLAG, flag, null);
    for (const lower of request.lowers) configure(fs, FSCONFIG_SET_STRING, 'lowerdir+', lower);
    if (request.upper !== undefined) configure(fs, FSCONFIG_SET_STRING, 'upperdir', request.upper);
    if (request.work !== undefined) configure(fs, FSCONFIG_SET_STRING, 'workdir', request.work);
    configure(fs, FSCONFIG_CMD_CREATE, null, null);
    const mounted = check(fsmount(SYS_FSMOUNT, fs, FSMOUNT_CLOEXEC, request.readonly ? MOUNT_ATTR_RDONLY : 0), 'fsmount', 'overlay');
    try {
      check(moveMount(SYS_MOVE_MOUNT, mounted, '', AT_FDCWD, request.merged, MOVE_MOUNT_F_EMPTY_PATH), 'move_mount', request.merged);
    } finally {
      closeSync(mounted);
    }
  } finally {
    closeSync(fs);
  }
}

function configure(fs: number, command: number, key: string | null, value: string | null): void {
  if (fsconfig(SYS_FSCONFIG, fs, command, key, value, 0) === 0) return;
  const number = errno();
  if (key === 'lowerdir+' && number === ERRNO.EINVAL) {
    throw new EngineError('NOT_SUPPORTED', 'so many layers need Linux 6.5 or newer', {
      cause: { errno: number },
      hint: 'Squash the image, or use the driver vfs.',
    });
  }
  throw syscallError('fsconfig', `overlay ${key ?? 'create'}${kernelWords(fs)}`, number);
}

/** Error lines that the kernel left in the context: ` (e overlay: …)`. */
function kernelWords(fs: number): string {
  const line = Buffer.alloc(512);
  try {
    const length = readSync(fs, line, 0, line.length, null);
    return ` (${line.toString('utf8', 0, length).trim()})`;
  } catch {
    return '';
  }
}
