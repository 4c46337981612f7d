/** The filter of system calls that a configuration asks for. */
import { EngineError } from '../core/errors.ts';
import type { Config } from './config.ts';
import { compileSeccomp, type SeccompFilter } from './seccomp/compile.ts';

const NEW_LISTENER = 8;

/** Throws INVALID_ARGUMENT, NOT_SUPPORTED: a process must not run unconfined that was to be confined. */
export function systemCallFilter({ linux }: Config): SeccompFilter | undefined {
  if (linux?.seccomp === undefined) return undefined;
  const filter = compileSeccomp(linux.seccomp, process.arch);
  if ((filter.flags & NEW_LISTENER) !== 0)
    throw new EngineError('NOT_SUPPORTED', 'the embedded runtime has no listener for SCMP_ACT_NOTIFY');
  return filter;
}
