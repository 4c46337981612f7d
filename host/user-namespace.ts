/** Why the kernel refuses a user namespace: it says EPERM for most reasons, and the machine's settings say which. */
import { readFileSync } from 'node:fs';
import { NAMESPACES_FORBIDDEN, type Lack } from '../core/lack.ts';
import { hasCapability } from './identity.ts';
import { readIfThere } from './if-there.ts';
import { mountTable } from './mount.ts';

const CAP_SYS_ADMIN = 21n;

/** `said`: the words of unshare(1). user_namespaces(7), unshare(2). */
export function namespaceLack(said: string): Lack {
  if (/no space left/i.test(said)) return NAMESPACES_FORBIDDEN.limit;
  if (!/not permitted|permission denied/i.test(said)) return NAMESPACES_FORBIDDEN.unknown;
  const ordinary = !hasCapability(CAP_SYS_ADMIN);
  if (ordinary && sysctl('kernel/unprivileged_userns_clone') === '0') return NAMESPACES_FORBIDDEN.clone;
  if (ordinary && sysctl('kernel/apparmor_restrict_unprivileged_userns') === '1') return NAMESPACES_FORBIDDEN.apparmor;
  if (hasSeccompFilter()) return NAMESPACES_FORBIDDEN.seccomp;
  if (isChroot()) return NAMESPACES_FORBIDDEN.chroot;
  return NAMESPACES_FORBIDDEN.unknown;
}

/** Undefined where the kernel does not know it. */
export function sysctl(name: string): string | undefined {
  return readIfThere(`/proc/sys/${name}`)?.trim();
}

export function hasSeccompFilter(): boolean {
  return /^Seccomp:\s+2$/m.test(readFileSync('/proc/self/status', 'latin1'));
}

/** The root directory of a chroot is, usually, no mount of its namespace. */
function isChroot(): boolean {
  return !mountTable().some(({ mountPoint }) => mountPoint === '/');
}
