/**
 * The C library, bound one function at a time on first use: a binding costs 50 µs, and most commands need three of them.
 * Errno must be read before anything else runs, so every caller goes through `check`.
 */
import { koffi } from './native.ts';
import { EngineError } from '../core/errors.ts';

type Native = (...args: unknown[]) => number;

let library: ReturnType<typeof koffi.load> | undefined;

/** Bind `declaration` (C prototype) when it is first called. */
export function bind(declaration: string): Native {
  let native: Native | undefined;
  return (...args) => {
    native ??= (library ??= koffi.load(null)).func(declaration) as unknown as Native;
    return native(...args);
  };
}

/** For a function that older C libraries lack: then a call does nothing and returns 0. */
export function bindOptional(declaration: string): Native {
  const native = bind(declaration);
  let missing = false;
  return (...args) => {
    if (missing) return 0;
    try {
      return native(...args);
    } catch {
      missing = true;
      return 0;
    }
  };
}

/** Bind for calls that block and are not per-thread: run on koffi's worker threads. */
export function bindAsync(declaration: string): (...args: unknown[]) => Promise<{ result: number; errno: number }> {
  let native: { async: (...args: unknown[]) => void } | undefined;
  return (...args) => {
    native ??= (library ??= koffi.load(null)).func(declaration) as unknown as { async: (...args: unknown[]) => void };
    return new Promise((resolve, reject) => {
      native!.async(...args, (error: Error | null, result: number) => {
        if (error) reject(error);
        else resolve({ result, errno: koffi.errno() });
      });
    });
  };
}

/** Throws SYSCALL when a call returned -1; returns the result otherwise. */
export function check(result: number, call: string, subject: string): number {
  if (result !== -1) return result;
  throw syscallError(call, subject, koffi.errno());
}

export function errno(): number {
  return koffi.errno();
}

/** errno(3) numbers we decide on; Linux, all architectures we run on. */
export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENOSPC: 28,
  EROFS: 30,
  ERANGE: 34,
  ELOOP: 40,
  ENODATA: 61,
  EOPNOTSUPP: 95,
  ECONNABORTED: 103,
  EDQUOT: 122,
} as const;

const TEXT: Readonly<Record<number, string>> = {
  1: 'operation not permitted',
  2: 'no such file or directory',
  3: 'no such process',
  5: 'input/output error',
  9: 'bad file descriptor',
  11: 'resource temporarily unavailable',
  12: 'cannot allocate memory',
  13: 'permission denied',
  16: 'device or resource busy',
  17: 'file exists',
  18: 'invalid cross-device link',
  19: 'no such device',
  20: 'not a directory',
  21: 'is a directory',
  22: 'invalid argument',
  24: 'too many open files',
  28: 'no space left on device',
  30: 'read-only file system',
  31: 'too many links',
  36: 'file name too long',
  38: 'function not implemented',
  39: 'directory not empty',
  40: 'too many levels of symbolic links',
  61: 'no data available',
  75: 'value too large for defined data type',
  95: 'operation not supported',
  122: 'disk quota exceeded',
};

/** The error of a failed system call: names call, subject and errno. ENOSPC and EDQUOT become STORE_FULL. */
export function syscallError(call: string, subject: string, number: number): EngineError {
  const text = TEXT[number] ?? `errno ${number}`;
  const full = number === ERRNO.ENOSPC || number === ERRNO.EDQUOT;
  return new EngineError(full ? 'STORE_FULL' : 'SYSCALL', `${call} ${subject}: ${text}`, { cause: { errno: number } });
}

/** The errno inside an error made by syscallError, else undefined. */
export function errnoOf(error: unknown): number | undefined {
  const cause = error instanceof EngineError ? error.cause : undefined;
  return typeof cause === 'object' && cause !== null && 'errno' in cause && typeof cause.errno === 'number' ? cause.errno : undefined;
}
