import { EngineError } from '../../core/errors.ts';
import { errnoOf, ERRNO } from '../../host/libc.ts';

/** LAYER_REFUSED, naming the entry as text that is safe to print. */
export function refuseEntry(path: Buffer, why: string, cause?: unknown): EngineError {
  return new EngineError('LAYER_REFUSED', `layer entry ${printable(path)}: ${why}`, { cause });
}

/**
 * What a failed system call on an entry means: a full disk is the store's trouble, everything that depends on the entry's own name,
 * size or type refuses the layer, the rest (EIO, EROFS …) goes through as it is.
 */
export function entryError(path: Buffer, error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  if (code === 'ENOSPC' || code === 'EDQUOT') return storeFull(error);
  return ENTRY_CODES.has(code)
    ? refuseEntry(path, CODE_WORDS[code] ?? code, error)
    : new EngineError('SYSCALL', `layer entry ${printable(path)}: ${code}`, { cause: error });
}

/** Any other failure on the way: a full disk becomes STORE_FULL, the rest stays what it is. */
export function fullOrSame(error: unknown): unknown {
  const code = systemCode(error);
  return code === 'ENOSPC' || code === 'EDQUOT' ? storeFull(error) : error;
}

export function storeFull(cause: unknown): EngineError {
  return new EngineError('STORE_FULL', 'no space left on device while unpacking a layer', {
    cause,
    hint: 'Free some space, for example with: lichen system prune',
  });
}

/** The code of an error of node:fs, or of one of host/'s calls. */
export function systemCode(error: unknown): string | undefined {
  const number = errnoOf(error);
  if (number !== undefined) return CODES.get(number) ?? `errno ${number}`;
  return error instanceof Error && 'syscall' in error ? (error as NodeJS.ErrnoException).code : undefined;
}

const CODES = new Map<number, string>(Object.entries(ERRNO).map(([code, number]) => [number, code]));
CODES.set(31, 'EMLINK').set(36, 'ENAMETOOLONG').set(7, 'E2BIG').set(75, 'EOVERFLOW');

const ENTRY_CODES = new Set([
  'EEXIST',
  'EINVAL',
  'EISDIR',
  'ELOOP',
  'EMLINK',
  'ENAMETOOLONG',
  'ENOENT',
  'ENOTDIR',
  'ENOTEMPTY',
  'EPERM',
  'EACCES',
  'ERANGE',
  'E2BIG',
  'EXDEV',
  'EOVERFLOW',
  'ENXIO',
]);

const CODE_WORDS: Readonly<Record<string, string>> = {
  ELOOP: 'too many levels of symbolic links',
  EMLINK: 'too many links',
  ENAMETOOLONG: 'file name too long',
  ENOENT: 'no such file or directory in the layer',
  ENOTDIR: 'a parent is not a directory',
  EPERM: 'operation not permitted',
  EACCES: 'permission denied',
};

/** Names come from strangers and end on a terminal (hostile.md G14). */
function printable(path: Buffer): string {
  const text = path.length > 200 ? `${path.toString('utf8', 0, 200)}…` : path.toString('utf8');
  return JSON.stringify(text).replace(/[\u007f-\u009f\u2028\u2029]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
