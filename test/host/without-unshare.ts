/** `without-unshare.ts ARGV...`: become ARGV in a seccomp filter that refuses unshare(2), as Docker's default profile does. For root. */
import { bind, check } from '../../host/libc.ts';
import { koffi } from '../../host/native.ts';

const PR_SET_SECCOMP = 22;
const SECCOMP_MODE_FILTER = 2;
const UNSHARE = process.arch === 'arm64' ? 97 : 272;

// seccomp(2), linux/filter.h: load the number of the call; if it is unshare's, EPERM; else go on.
const PROGRAM: readonly (readonly [code: number, whenTrue: number, whenFalse: number, value: number])[] = [
  [0x20, 0, 0, 0],
  [0x15, 0, 1, UNSHARE],
  [0x06, 0, 0, 0x0005_0001],
  [0x06, 0, 0, 0x7fff_0000],
];

const filter = Buffer.alloc(8 * PROGRAM.length);
for (const [index, [code, whenTrue, whenFalse, value]] of PROGRAM.entries()) {
  filter.writeUInt16LE(code, 8 * index);
  filter.writeUInt8(whenTrue, 8 * index + 2);
  filter.writeUInt8(whenFalse, 8 * index + 3);
  filter.writeUInt32LE(value, 8 * index + 4);
}

koffi.struct('FilterProgram', { length: 'uint16_t', filter: 'uint8_t *' });
const prctl = bind('int prctl(int option, ulong mode, const FilterProgram *program)');
check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, { length: PROGRAM.length, filter }), 'prctl', 'seccomp');
// env(1) looks for it along PATH.
process.execve!('/usr/bin/env', ['env', ...process.argv.slice(2)], process.env);
