/** File times to the nanosecond: node:fs takes seconds as a double and loses the last digits. */
import { bind, check } from './libc.ts';

const nativeFutimens = bind('int futimens(int fd, const uint8_t *times)');
const nativeUtimensat = bind('int utimensat(int dirfd, const uint8_t *path, const uint8_t *times, int flags)');

const AT_FDCWD = -100;
const AT_SYMLINK_NOFOLLOW = 0x100;
const UTIME_OMIT = (1n << 30n) - 2n;

/** Set the modification time (and the access time, where given) of `path`, a symbolic link itself and not its target. */
export function setTimes(path: Buffer, mtime: FileTime, atime?: FileTime): void {
  check(nativeUtimensat(AT_FDCWD, Buffer.concat([path, NUL]), encode(mtime, atime), AT_SYMLINK_NOFOLLOW), 'utimensat', path.toString());
}

/** The modification time of an open file: no path has to be walked again. */
export function setTimesOf(fd: number, mtime: FileTime): void {
  check(nativeFutimens(fd, encode(mtime)), 'futimens', `fd ${fd}`);
}

/** Two `struct timespec` of 64-bit numbers. */
function encode(mtime: FileTime, atime?: FileTime): Buffer {
  const times = Buffer.allocUnsafe(32);
  times.writeBigInt64LE(BigInt(atime?.seconds ?? 0), 0);
  times.writeBigInt64LE(atime === undefined ? UTIME_OMIT : BigInt(atime.nanoseconds), 8);
  times.writeBigInt64LE(BigInt(mtime.seconds), 16);
  times.writeBigInt64LE(BigInt(mtime.nanoseconds), 24);
  return times;
}

export interface FileTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

/** From `mtimeNs` of a bigint stat. */
export function fileTime(nanoseconds: bigint): FileTime {
  const seconds = nanoseconds / 1_000_000_000n - (nanoseconds % 1_000_000_000n < 0n ? 1n : 0n);
  return { seconds: Number(seconds), nanoseconds: Number(nanoseconds - seconds * 1_000_000_000n) };
}

const NUL = Buffer.of(0);
