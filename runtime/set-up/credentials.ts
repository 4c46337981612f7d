/** From root of the container to the user and the capabilities that its process has (config.md#user, #linux-process). */
import type { Deputy } from '../../host/deputy/deputy.ts';
import type { Step } from '../../host/deputy/layout.ts';
import { rightsMessage } from '../../host/deputy/rights.ts';
import { ERRNO, syscallError } from '../../host/libc.ts';
import { O_PATH } from '../../host/root.ts';
import type { Process } from '../config.ts';
import type { Listener } from '../filter.ts';
import type { SeccompFilter } from '../seccomp/compile.ts';
import { ambientSteps, boundingSteps, capabilityStep, type Capabilities } from './capabilities.ts';
import { AT_FDCWD, O_CLOEXEC } from './inner-root.ts';

const PR_SET_DUMPABLE = 4;
const PR_SET_KEEPCAPS = 8;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const KEYCTL_JOIN_SESSION_KEYRING = 1;
const INSTRUCTION_BYTES = 8;

export interface CredentialsRequest {
  readonly process: Process;
  readonly capabilities: Capabilities;
  readonly filter: SeccompFilter | undefined;
  readonly listener: Listener | undefined;
  /** False in a user namespace that may not set its groups. */
  readonly maySetGroups: boolean;
  readonly keepGroups: boolean;
  readonly newKeyring: string | undefined;
}

/** Not to be taken hold of by what is in the container already (CVE-2016-9962). */
export function guard(deputy: Deputy): void {
  deputy.call('prctl', [PR_SET_DUMPABLE, 0, 0, 0, 0], 'dumpable');
}

/**
 * Become the user. What is left to be done before the program, in this order, is returned: a filter must come last, and without
 * no_new_privs takes a capability that the process may not have. Throws SYSCALL, INVALID_ARGUMENT.
 */
export function setCredentials(deputy: Deputy, request: CredentialsRequest): readonly Step[] {
  const { process, capabilities, filter, listener, newKeyring } = request;
  const { uid = 0, gid = 0, umask } = process.user ?? {};
  // Without keyrings in the kernel, or where a filter of whoever started us forbids them, there is none to share either.
  if (newKeyring !== undefined) deputy.attempt('keyctl', [KEYCTL_JOIN_SESSION_KEYRING, newKeyring]);
  const withAdmin = filter !== undefined && process.noNewPrivileges !== true;
  if (umask !== undefined) deputy.call('umask', [umask]);
  deputy.tryAll(boundingSteps(capabilities));
  deputy.call('prctl', [PR_SET_KEEPCAPS, 1, 0, 0, 0], 'keepcaps');
  deputy.call('setresgid', [gid, gid, gid], `group ${gid}`);
  setGroups(deputy, request);
  deputy.call('setresuid', [uid, uid, uid], `user ${uid}`);
  // A change of user takes them off, and makes the process one that can be taken hold of.
  guard(deputy);
  setCapabilities(deputy, capabilities, withAdmin);
  deputy.tryAll(ambientSteps(capabilities));
  const noNewPrivileges: Step[] = process.noNewPrivileges === true ? [{ call: 'prctl', args: [PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0] }] : [];
  if (filter === undefined) return noNewPrivileges;
  const load: Step = { call: 'seccomp', args: [SECCOMP_SET_MODE_FILTER, filter.flags, filterProgram(filter.filter)] };
  const told: Step[] = listener === undefined ? [] : [tell(listener, nextDescriptor(deputy))];
  return withAdmin
    ? [load, ...told, capabilityStep(capabilities, { withAdmin: false }), ...ambientSteps(capabilities)]
    : [...noNewPrivileges, load, ...told];
}

/** The number that its next descriptor will have: here, the filter's. */
function nextDescriptor(deputy: Deputy): number {
  const fd = deputy.call('openat', [AT_FDCWD, '/', O_PATH | O_CLOEXEC, 0]);
  deputy.call('close', [fd]);
  return fd;
}

function tell({ connection, message }: Listener, fd: number): Step {
  return { call: 'sendmsg', args: [connection, rightsMessage(undefined, fd, message), 0] };
}

/** Those that we have not got ourselves cannot be given: they are left out, as crun leaves them. */
function setCapabilities(deputy: Deputy, capabilities: Capabilities, withAdmin: boolean): void {
  const { call, args } = capabilityStep(capabilities, { withAdmin });
  deputy.call(call, args, 'capabilities');
}

function setGroups(deputy: Deputy, { process, maySetGroups, keepGroups }: CredentialsRequest): void {
  const { additionalGids: groups = [] } = process.user ?? {};
  // Where the user namespace forbids it, as one with a single group does, they are left out, as crun leaves them.
  if (keepGroups || !maySetGroups) return;
  const list = Buffer.alloc(4 * groups.length);
  for (const [index, group] of groups.entries()) list.writeUInt32LE(group, 4 * index);
  const result = deputy.attempt('setgroups', [groups.length, list]);
  if (result < 0 && !(groups.length === 0 && -result === ERRNO.EPERM)) throw syscallError('setgroups', groups.join(','), -result);
}

/** struct sock_fprog */
function filterProgram(filter: Uint8Array) {
  const bytes = Buffer.alloc(16);
  bytes.writeUInt16LE(filter.length / INSTRUCTION_BYTES, 0);
  return { bytes, links: [{ at: 8, to: filter }] };
}
