/** Who we are: the ordinary user behind the user namespace, and what this process may do in it. */
import { readFileSync } from 'node:fs';
import { hostRlimits } from './rlimit.ts';

export interface Identity {
  /** The ids of the person, outside of any namespace that lichen made. */
  readonly uid: number;
  readonly gid: number;
  /** Working in a user namespace of ours. False only for real root with the capabilities that containers take. */
  readonly rootless: boolean;
  /** True once this process runs where mounts can be made: inside the pause process's namespaces, or as real root. */
  readonly inside: boolean;
}

/** Set by the launcher (or by the first Node) for the Node inside: `uid:gid` of the person. */
export const ENTERED = 'LICHEN_ENTERED';

/** What tells a further lichen, started inside, that it is there and whose it is. */
export function enteredAs({ uid, gid }: Pick<Identity, 'uid' | 'gid'>): Readonly<Record<string, string>> {
  return { [ENTERED]: `${uid}:${gid}` };
}

const CAP_SYS_ADMIN = 21n;
const CAP_SYS_RESOURCE = 24n;

/** Reads /proc/self; cheap. */
export function readIdentity(env: NodeJS.ProcessEnv = process.env): Identity {
  const entered = /^(\d+):(\d+)$/.exec(env[ENTERED] ?? '');
  const root = process.geteuid!() === 0 && hasCapability(CAP_SYS_ADMIN);
  if (entered && root) return { uid: Number(entered[1]), gid: Number(entered[2]), rootless: !isInitialUserNamespace(), inside: true };
  if (root && canLoadDeviceFilters() && isInitialUserNamespace()) return { uid: 0, gid: 0, rootless: false, inside: true };
  return { uid: process.getuid!(), gid: process.getgid!(), rootless: true, inside: false };
}

/**
 * For real root, which that of a container with a user namespace is not, an OCI runtime loads a program that filters devices, and lifts RLIMIT_MEMLOCK for it. Root that may not do so (a sandbox
 * without CAP_SYS_RESOURCE) works in a user namespace instead, where no such filter is needed.
 */
function canLoadDeviceFilters(): boolean {
  return hasCapability(CAP_SYS_RESOURCE) || hostRlimits()['memlock']?.hard === -1;
}

export function hasCapability(capability: bigint): boolean {
  const line = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'));
  return line !== null && ((BigInt(`0x${line[1]}`) >> capability) & 1n) === 1n;
}

/** The initial user namespace maps every id to itself (user_namespaces(7)). */
export function isInitialUserNamespace(): boolean {
  return /^\s*0\s+0\s+4294967295\s*$/.test(readFileSync('/proc/self/uid_map', 'latin1'));
}
