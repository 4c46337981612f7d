/** `linux.seccomp` of an OCI configuration (runtime-spec 1.2, config-linux.md#seccomp), and what its words mean to seccomp(2). */
import { EngineError } from '../../core/errors.ts';

export interface Seccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly flags?: readonly string[];
  readonly listenerPath?: string;
  readonly listenerMetadata?: string;
  readonly syscalls?: readonly SyscallRule[];
}

export interface SyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly SyscallArgument[];
}

/** Values have 64 bits, more than a number holds exactly above 2^53: whoever reads such a document may give them as bigint. */
export interface SyscallArgument {
  readonly index: number;
  readonly value: number | bigint;
  readonly valueTwo?: number | bigint;
  readonly op: string;
}

/** What a filter returns for a call (seccomp(2)): the upper half is the action, the lower one its data. */
export type Verdict = number;

export const KILL_THREAD: Verdict = 0;

/** The action `action` with `errno`, which only ERRNO and TRACE take (EPERM where it is left out). Throws INVALID_ARGUMENT. */
export function readVerdict(action: string, errno: number | undefined): Verdict {
  const value = ACTIONS.get(action);
  if (value === undefined) throw wrong(`unknown action ${JSON.stringify(action)}`);
  if (!WITH_ERRNO.has(action)) {
    if (errno !== undefined) throw wrong(`${action} takes no errno, and ${errno} is given`);
    return value;
  }
  const data = errno ?? EPERM;
  if (!Number.isInteger(data) || data < 0 || data > 0xffff) throw wrong(`errno ${data} of ${action} is not in the range 0 to 65535`);
  return value + data;
}

/** True where the call is left to a listener: then there must be one. */
export function isNotify(given: Verdict): boolean {
  return given === ACTIONS.get('SCMP_ACT_NOTIFY');
}

/** The flags for seccomp(2). Throws INVALID_ARGUMENT for one that is not known. */
export function filterFlags(names: readonly string[], notifies: boolean): number {
  let flags = notifies ? NEW_LISTENER : 0;
  for (const name of names) {
    const flag = FLAGS.get(name);
    if (flag === undefined) throw wrong(`unknown flag ${JSON.stringify(name)}`);
    flags |= flag;
  }
  // The kernel refuses this one without a listener, where it would mean nothing.
  if (!notifies) flags &= ~WAIT_KILLABLE_RECV;
  // Both have their answer in the result of the call; with this flag it is the listener's.
  if (notifies && (flags & TSYNC) !== 0) flags |= TSYNC_ESRCH;
  return flags;
}

export function wrong(what: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `linux.seccomp: ${what}`);
}

const EPERM = 1;

const ACTIONS: ReadonlyMap<string, Verdict> = new Map([
  ['SCMP_ACT_KILL', KILL_THREAD],
  ['SCMP_ACT_KILL_THREAD', KILL_THREAD],
  ['SCMP_ACT_KILL_PROCESS', 0x8000_0000],
  ['SCMP_ACT_TRAP', 0x0003_0000],
  ['SCMP_ACT_ERRNO', 0x0005_0000],
  ['SCMP_ACT_NOTIFY', 0x7fc0_0000],
  ['SCMP_ACT_TRACE', 0x7ff0_0000],
  ['SCMP_ACT_LOG', 0x7ffc_0000],
  ['SCMP_ACT_ALLOW', 0x7fff_0000],
]);

const WITH_ERRNO: ReadonlySet<string> = new Set(['SCMP_ACT_ERRNO', 'SCMP_ACT_TRACE']);

const TSYNC = 1;
const NEW_LISTENER = 8;
const TSYNC_ESRCH = 16;
const WAIT_KILLABLE_RECV = 32;

const FLAGS: ReadonlyMap<string, number> = new Map([
  ['SECCOMP_FILTER_FLAG_TSYNC', TSYNC],
  ['SECCOMP_FILTER_FLAG_LOG', 2],
  ['SECCOMP_FILTER_FLAG_SPEC_ALLOW', 4],
  ['SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV', WAIT_KILLABLE_RECV],
]);
