/** The filter of system calls that a configuration asks for, and who listens to the calls that it leaves to somebody. */
import { closeSync } from 'node:fs';
import type { Deputy } from '../host/deputy/deputy.ts';
import { connectStream } from '../host/stream-socket.ts';
import type { Config } from './config.ts';
import { compileSeccomp, type SeccompFilter } from './seccomp/compile.ts';
import { OCI_VERSION, type State } from './store.ts';

const NEW_LISTENER = 8;

/** Throws INVALID_ARGUMENT: a process must not run unconfined that was to be confined. */
export function systemCallFilter({ linux }: Config): SeccompFilter | undefined {
  return linux?.seccomp === undefined ? undefined : compileSeccomp(linux.seccomp, process.arch);
}

export interface Listener {
  /** The deputy's, connected to the listener. */
  readonly connection: number;
  /** Goes with the filter's descriptor (config-linux.md#container-process-state). */
  readonly message: string;
}

/** Undefined where the filter asks nobody. Throws SYSCALL. */
export function listenerOf(deputy: Deputy, { linux }: Config, filter: SeccompFilter | undefined, state: State): Listener | undefined {
  const { listenerPath, listenerMetadata = '' } = linux?.seccomp ?? {};
  if (filter === undefined || listenerPath === undefined || (filter.flags & NEW_LISTENER) === 0) return undefined;
  const connection = connectStream(listenerPath);
  try {
    const message = { ociVersion: OCI_VERSION, fds: ['seccompFd'], pid: deputy.pid, metadata: listenerMetadata, state };
    return { connection: deputy.give(connection), message: JSON.stringify(message) };
  } finally {
    closeSync(connection);
  }
}
