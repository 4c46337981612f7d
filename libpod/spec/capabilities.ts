/** Which capabilities a container's processes get (capabilities(7); config.md#linux-process). */
import { EngineError } from '../../core/errors.ts';
import type { OciCapabilities } from './oci-types.ts';

/** Every capability of Linux 5.9 and later. A new user namespace gives its creator all that the kernel has. */
export const ALL_CAPABILITIES: readonly string[] = [
  'CAP_AUDIT_CONTROL',
  'CAP_AUDIT_READ',
  'CAP_AUDIT_WRITE',
  'CAP_BLOCK_SUSPEND',
  'CAP_BPF',
  'CAP_CHECKPOINT_RESTORE',
  'CAP_CHOWN',
  'CAP_DAC_OVERRIDE',
  'CAP_DAC_READ_SEARCH',
  'CAP_FOWNER',
  'CAP_FSETID',
  'CAP_IPC_LOCK',
  'CAP_IPC_OWNER',
  'CAP_KILL',
  'CAP_LEASE',
  'CAP_LINUX_IMMUTABLE',
  'CAP_MAC_ADMIN',
  'CAP_MAC_OVERRIDE',
  'CAP_MKNOD',
  'CAP_NET_ADMIN',
  'CAP_NET_BIND_SERVICE',
  'CAP_NET_BROADCAST',
  'CAP_NET_RAW',
  'CAP_PERFMON',
  'CAP_SETFCAP',
  'CAP_SETGID',
  'CAP_SETPCAP',
  'CAP_SETUID',
  'CAP_SYSLOG',
  'CAP_SYS_ADMIN',
  'CAP_SYS_BOOT',
  'CAP_SYS_CHROOT',
  'CAP_SYS_MODULE',
  'CAP_SYS_NICE',
  'CAP_SYS_PACCT',
  'CAP_SYS_PTRACE',
  'CAP_SYS_RAWIO',
  'CAP_SYS_RESOURCE',
  'CAP_SYS_TIME',
  'CAP_SYS_TTY_CONFIG',
  'CAP_WAKE_ALARM',
];

const ALL = 'ALL';

/** What `--cap-add`, `--cap-drop` and containers.conf may name, as `CAP_X` or `ALL`. Throws INVALID_ARGUMENT. */
export function parseCapability(text: string): string {
  const upper = text.toUpperCase();
  if (upper === ALL) return ALL;
  const name = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!ALL_CAPABILITIES.includes(name)) throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(name)}: unknown capability`);
  return name;
}

/**
 * The base set with `add` put in and `drop` taken out, sorted. `drop` ALL leaves what was added; `add` ALL gives everything not dropped.
 * Throws INVALID_ARGUMENT for unknown names and for those both added and dropped.
 */
export function mergeCapabilities(base: readonly string[], add: readonly string[], drop: readonly string[]): string[] {
  const added = new Set(add.map(parseCapability));
  const dropped = new Set(drop.map(parseCapability));
  if (added.has(ALL) && dropped.has(ALL)) throw new EngineError('INVALID_ARGUMENT', 'adding all caps and removing all caps not allowed');
  for (const name of added) {
    if (dropped.has(name)) {
      throw new EngineError('INVALID_ARGUMENT', `capability ${JSON.stringify(name)} cannot be dropped and added`);
    }
  }
  if (dropped.has(ALL)) return [...added].toSorted();
  const start = added.has(ALL) ? ALL_CAPABILITIES : [...base.map(parseCapability), ...added];
  return [...new Set(start)].filter((name) => name !== ALL && !dropped.has(name)).toSorted();
}

export interface CapabilityWish {
  readonly base: readonly string[];
  readonly capAdd: readonly string[];
  readonly capDrop: readonly string[];
  readonly privileged: boolean;
}

/**
 * The sets of a container's first process. Root has the whole bounding set; another user has only what was added by name,
 * and that also as ambient, because a file without capabilities would lose it at execve(2). Nothing is inheritable for root (CVE-2022-27649).
 */
export function containerCapabilities(wish: CapabilityWish, uid: number): OciCapabilities {
  const bounding = boundingCapabilities(wish);
  if (uid === 0) return nonEmpty({ bounding, effective: bounding, permitted: bounding });
  const kept = mergeCapabilities([], wish.capAdd, []).filter((name) => bounding.includes(name));
  return nonEmpty({ bounding, effective: kept, inheritable: kept, permitted: kept, ambient: kept });
}

/**
 * The sets of an exec session in a container whose first process has `container`. Root gets the bounding set, the container's own user
 * what the first process has, anybody else nothing.
 */
export function execCapabilities(
  container: OciCapabilities,
  options: { readonly uid: number; readonly sameUser: boolean; readonly privileged: boolean },
): OciCapabilities {
  const bounding = options.privileged ? ALL_CAPABILITIES : (container.bounding ?? []);
  if (options.uid === 0) return nonEmpty({ bounding, effective: bounding, permitted: bounding });
  const kept = options.sameUser ? (container.effective ?? []) : [];
  return nonEmpty({ bounding, effective: kept, inheritable: kept, permitted: kept, ambient: kept });
}

export function boundingCapabilities(wish: CapabilityWish): readonly string[] {
  return wish.privileged ? ALL_CAPABILITIES : mergeCapabilities(wish.base, wish.capAdd, wish.capDrop);
}

function nonEmpty(sets: OciCapabilities): OciCapabilities {
  return Object.fromEntries(Object.entries(sets).filter(([, names]) => (names as readonly string[]).length > 0));
}
