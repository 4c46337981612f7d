/** Special files, by path; the last component is never followed (mknod(2)). */
import { bind, check } from './libc.ts';

const nativeMknod = bind('int mknod(const uint8_t *path, uint mode, uint64_t device)');

const S_IFIFO = 0o010000;
const S_IFCHR = 0o020000;
const S_IFBLK = 0o060000;

export type SpecialFile = { readonly type: 'fifo' } | { readonly type: 'char' | 'block'; readonly major: number; readonly minor: number };

/**
 * Make a FIFO or device; the umask takes its share of `mode`. In a user namespace only a FIFO and the character device 0:0 may be made
 * (overlayfs's whiteout, Linux ≥ 5.8). Throws SYSCALL (EPERM, EEXIST …), STORE_FULL.
 */
export function makeSpecialFile(path: Buffer, file: SpecialFile, mode: number): void {
  const kind = file.type === 'fifo' ? S_IFIFO : file.type === 'char' ? S_IFCHR : S_IFBLK;
  const device = file.type === 'fifo' ? 0n : deviceNumber(file.major, file.minor);
  check(nativeMknod(Buffer.concat([path, NUL]), kind | mode, device), 'mknod', path.toString());
}

const NUL = Buffer.of(0);

/** glibc's makedev: 12 + 20 bits of each, interleaved (sys/sysmacros.h). */
function deviceNumber(major: number, minor: number): bigint {
  const [high, low] = [BigInt(major), BigInt(minor)];
  return ((high & 0xfffff000n) << 32n) | ((high & 0xfffn) << 8n) | ((low & 0xffffff00n) << 12n) | (low & 0xffn);
}
