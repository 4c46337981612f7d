/** Control groups as this machine has them (cgroups(7)). lichen speaks cgroup v2 only; elsewhere it mounts a view of its own. */
import { readFileSync, statfsSync } from 'node:fs';

const CGROUP2_SUPER_MAGIC = 0x63677270;
export const CGROUP_ROOT = '/sys/fs/cgroup';

/** True where /sys/fs/cgroup is cgroup2; false on v1, hybrid, or where nothing is mounted. */
export function isCgroup2(): boolean {
  try {
    return statfsSync(CGROUP_ROOT).type === CGROUP2_SUPER_MAGIC;
  } catch {
    return false;
  }
}

/** True if the kernel has cgroup2 at all (proc(5), filesystems). */
export function kernelHasCgroup2(): boolean {
  return /\tcgroup2$/m.test(readFileSync('/proc/filesystems', 'latin1'));
}

/** This process's place in the v2 hierarchy, relative to the root of its cgroup namespace: `/user.slice/…`. */
export function ownCgroup(pid: number | 'self' = 'self'): string {
  return /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'utf8'))?.[1] ?? '/';
}

/** Controllers present in `directory` itself. */
export function controllersIn(directory: string): readonly string[] {
  return words(`${directory}/cgroup.controllers`);
}

function words(file: string): readonly string[] {
  try {
    return readFileSync(file, 'latin1')
      .split(/\s+/)
      .filter((word) => word !== '');
  } catch {
    return [];
  }
}
