/** The namespaces of a container's process, joined or made by its deputy (config-linux.md#namespaces, clone(2), setns(2)). */
import { closeSync, constants, openSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { Deputy } from '../../host/deputy/deputy.ts';
import { ERRNO, syscallError } from '../../host/libc.ts';
import { runHelper } from '../../host/process.ts';
import type { IdMapping, Linux, Namespace, NamespaceType } from '../config.ts';

export const CLONE = {
  time: 0x80,
  mount: 0x2_0000,
  cgroup: 0x200_0000,
  uts: 0x400_0000,
  ipc: 0x800_0000,
  user: 0x1000_0000,
  pid: 0x2000_0000,
  network: 0x4000_0000,
} as const satisfies Record<NamespaceType, number>;

const PROC_NAMES: Readonly<Record<NamespaceType, string>> = {
  time: 'time_for_children',
  mount: 'mnt',
  cgroup: 'cgroup',
  uts: 'uts',
  ipc: 'ipc',
  user: 'user',
  pid: 'pid',
  network: 'net',
};

export interface NamespaceRequest {
  readonly linux: Linux;
  /** Called when those are joined that are not its user namespace's, before that is entered. */
  readonly beforeUser: () => void;
  /** Called when its user is known, before the cgroup namespace is made: moves the process into its cgroup. */
  readonly enterCgroup: (pid: number) => void | Promise<void>;
}

/** Throws SYSCALL, INVALID_ARGUMENT. The deputy may be another process after. */
export async function enterNamespaces(deputy: Deputy, { linux, beforeUser, enterCgroup }: NamespaceRequest): Promise<void> {
  const wanted = linux.namespaces ?? [];
  const made = wanted.filter(({ path }) => !path).map(({ type }) => type);
  const joined = wanted.filter(({ path }) => path) as (Namespace & { path: string })[];
  const hasUser = made.includes('user');
  joinNamespaces(deputy, joined, beforeUser);
  if (hasUser) await makeUserNamespace(deputy, linux);
  await enterCgroup(deputy.pid);
  const flags = made.filter((type) => type !== 'user' && type !== 'pid').reduce((sum, type) => sum | CLONE[type], 0);
  if (flags !== 0) deputy.call('unshare', [flags], made.join(', '));
  if (made.includes('time')) writeTimeOffsets(deputy.pid, linux);
  if (made.includes('pid')) deputy.fork(CLONE.pid);
  else if (joined.some(({ type }) => type === 'pid') || made.includes('time')) deputy.fork(0);
}

/**
 * Join what is at the paths. A user namespace is joined when the others are that belong to ours, and before those that belong to it.
 * Throws SYSCALL, INVALID_ARGUMENT.
 */
export function joinNamespaces(
  deputy: Deputy,
  wanted: readonly { readonly type: NamespaceType; readonly path: string }[],
  beforeUser: () => void = () => undefined,
): void {
  const opened = wanted.map(({ type, path }) => ({ type, path, fd: give(deputy, type, path) }));
  const user = opened.find(({ type }) => type === 'user');
  // The mount namespace takes root and working directory along, so it comes last.
  const others = opened.filter(({ type }) => type !== 'user').toSorted((a, b) => Number(a.type === 'mount') - Number(b.type === 'mount'));
  const later = others.filter(({ type, path, fd }) => {
    const result = deputy.attempt('setns', [fd, CLONE[type]]);
    if (result < 0 && (user === undefined || -result !== ERRNO.EPERM)) throw syscallError('setns', `${type} namespace ${path}`, -result);
    return result < 0;
  });
  beforeUser();
  if (user !== undefined) {
    deputy.call('setns', [user.fd, CLONE.user], `user namespace ${user.path}`);
    becomeRoot(deputy);
  }
  for (const { type, path, fd } of later) deputy.call('setns', [fd, CLONE[type]], `${type} namespace ${path}`);
  for (const { fd } of opened) deputy.call('close', [fd]);
}

/** Those of a process that are not ours already. Throws SYSCALL. */
export function namespacesOf(pid: number): readonly { readonly type: NamespaceType; readonly path: string }[] {
  return (Object.keys(PROC_NAMES) as NamespaceType[]).flatMap((type) => {
    const [path, own] = [`/proc/${pid}/ns/${PROC_NAMES[type]}`, `/proc/self/ns/${PROC_NAMES[type]}`];
    const theirs = statSync(path, { throwIfNoEntry: false });
    return theirs === undefined || theirs.ino === statSync(own).ino ? [] : [{ type, path }];
  });
}

function give(deputy: Deputy, type: NamespaceType, path: string): number {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${type} namespace ${path}: ${(cause as Error).message}`, { cause });
  }
  try {
    return deputy.give(fd);
  } finally {
    closeSync(fd);
  }
}

async function makeUserNamespace(deputy: Deputy, linux: Linux): Promise<void> {
  deputy.call('unshare', [CLONE.user], 'user namespace');
  const { uidMappings = [], gidMappings = [] } = linux;
  if (uidMappings.length === 0 || gidMappings.length === 0)
    throw new EngineError('INVALID_ARGUMENT', 'a new user namespace needs uidMappings and gidMappings');
  await writeIdMaps(deputy.pid, uidMappings, gidMappings);
  becomeRoot(deputy);
}

/** By ourselves where we may, else by newuidmap and newgidmap. Throws SYSCALL, HELPER_MISSING, HELPER_FAILED. */
export async function writeIdMaps(pid: number, uids: readonly IdMapping[], gids: readonly IdMapping[]): Promise<void> {
  const lines = (maps: readonly IdMapping[]): string => maps.map((map) => `${map.containerID} ${map.hostID} ${map.size}\n`).join('');
  const words = (maps: readonly IdMapping[]): string[] => maps.flatMap((map) => [map.containerID, map.hostID, map.size].map(String));
  try {
    writeFileSync(`/proc/${pid}/uid_map`, lines(uids));
    writeFileSync(`/proc/${pid}/gid_map`, lines(gids));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') throw error;
    if (process.geteuid!() !== 0) {
      await runHelper('newuidmap', [String(pid), ...words(uids)], { package: 'uidmap', timeoutMs: 10_000 });
      await runHelper('newgidmap', [String(pid), ...words(gids)], { package: 'uidmap', timeoutMs: 10_000 });
      return;
    }
    throw new EngineError('SUBID_RANGE_MISSING', `write id maps ${lines(uids).trim()}: the ids are not ours to map`, { cause: error });
  }
}

/** As far as root is mapped: without it the capabilities are there all the same, until it executes something. */
function becomeRoot(deputy: Deputy): void {
  deputy.attempt('setgroups', [0, null]);
  deputy.attempt('setresgid', [0, 0, 0]);
  deputy.attempt('setresuid', [0, 0, 0]);
}

function writeTimeOffsets(pid: number, { timeOffsets = {} }: Linux): void {
  const lines = Object.entries(timeOffsets).map(([clock, { secs = 0, nanosecs = 0 }]) => `${clock} ${secs} ${nanosecs}\n`);
  if (lines.length > 0) writeFileSync(`/proc/${pid}/timens_offsets`, lines.join(''));
}

/** False where a user namespace was given up the right to (user_namespaces(7)): with one id it must be. */
export function maySetGroups(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/setgroups`, 'latin1').trim() !== 'deny';
  } catch {
    return true;
  }
}
