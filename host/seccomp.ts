/** Filters of system calls (seccomp(2)). */
import { koffi } from './native.ts';
import { bind, check } from './libc.ts';
import { EngineError } from '../core/errors.ts';

/** seccomp(2) has a number of its own on each architecture. */
const SYS_SECCOMP = process.arch === 'arm64' ? 277 : 317;
const SECCOMP_SET_MODE_FILTER = 1;
const NEW_LISTENER = 8;
const INSTRUCTION_BYTES = 8;

let native: ((...args: unknown[]) => number) | undefined;

/**
 * Put a filter on this thread, for ever, and on every program it becomes. `program` is an array of struct sock_filter, `flags` are
 * SECCOMP_FILTER_FLAG_…; with NEW_LISTENER the result is the listener's descriptor, else undefined.
 * The thread needs no_new_privs or CAP_SYS_ADMIN in its user namespace, and from here on only calls that the filter lets it make.
 * Throws SYSCALL.
 */
export function loadFilter(program: Uint8Array, flags: number): number | undefined {
  const filter = { len: program.length / INSTRUCTION_BYTES, filter: program };
  const result = check((native ??= bindSeccomp())(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, flags, filter), 'seccomp', 'filter');
  if ((flags & NEW_LISTENER) !== 0) return result;
  if (result !== 0) throw new EngineError('SYSCALL', `seccomp filter: thread ${result} has a filter that this one cannot follow`);
  return undefined;
}

function bindSeccomp(): (...args: unknown[]) => number {
  koffi.struct('sock_fprog', { len: 'uint16_t', filter: 'const uint8_t *' });
  return bind('long syscall(long number, uint operation, uint flags, const sock_fprog *program)');
}
