/** Extended attributes, by path without following a symbolic link (xattr(7)). Paths may be bytes that are no UTF-8. */
import { bind, check, errno, ERRNO, syscallError } from './libc.ts';

const nativeSet = bind('int lsetxattr(const uint8_t *path, const char *name, const uint8_t *value, size_t size, int flags)');
const nativeGet = bind('long lgetxattr(const uint8_t *path, const char *name, _Out_ uint8_t *value, size_t size)');
const nativeList = bind('long llistxattr(const uint8_t *path, _Out_ uint8_t *list, size_t size)');
const nativeRemove = bind('int lremovexattr(const uint8_t *path, const char *name)');

export function setXattr(path: string | Buffer, name: string, value: Uint8Array): void {
  check(nativeSet(cPath(path), name, value, value.length, 0), 'setxattr', `${name} of ${path.toString()}`);
}

/** Undefined when the attribute is not there, the file system has none, or the file is gone (others may change a tree that is walked). */
export function getXattr(path: string | Buffer, name: string): Buffer | undefined {
  for (let size = 256; ; size = 65536) {
    const value = Buffer.alloc(size);
    const length = nativeGet(cPath(path), name, value, value.length);
    if (length >= 0) return value.subarray(0, length);
    const number = errno();
    if (number === ERRNO.ENODATA || number === ERRNO.EOPNOTSUPP || number === ERRNO.ENOENT) return undefined;
    if (number !== ERRNO.ERANGE || size === 65536) throw syscallError('getxattr', `${name} of ${path.toString()}`, number);
  }
}

/** XATTR_LIST_MAX: more names no file has. Kept, because most files have none, and new memory of that size costs more than the call. */
let list: Buffer | undefined;

/** None where getXattr would find none. */
export function listXattrs(path: string | Buffer): string[] {
  list ??= Buffer.allocUnsafe(65536);
  const length = nativeList(cPath(path), list, list.length);
  if (length < 0) {
    const number = errno();
    if (number === ERRNO.EOPNOTSUPP || number === ERRNO.ENOENT) return [];
    throw syscallError('listxattr', path.toString(), number);
  }
  return list
    .toString('utf8', 0, length)
    .split('\0')
    .filter((name) => name !== '');
}

/** An attribute that is not there is fine. */
export function removeXattr(path: string | Buffer, name: string): void {
  if (nativeRemove(cPath(path), name) === -1 && errno() !== ERRNO.ENODATA) check(-1, 'removexattr', `${name} of ${path.toString()}`);
}

function cPath(path: string | Buffer): Buffer {
  return Buffer.concat([typeof path === 'string' ? Buffer.from(path) : path, Buffer.of(0)]);
}
