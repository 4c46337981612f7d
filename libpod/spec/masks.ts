/** Kernel files a container may not read (masked) or write (read-only); containers.conf(5) and `--security-opt mask=,unmask=`. */
import type { ContainerConfig, StartFacts } from './container.ts';

const MASKED: readonly string[] = [
  '/proc/acpi',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/sys/devices/virtual/powercap',
  '/sys/firmware',
  '/sys/fs/selinux',
  '/proc/interrupts',
];

const READ_ONLY: readonly string[] = ['/proc/asound', '/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

export interface Masks {
  readonly masked: readonly string[];
  readonly readOnly: readonly string[];
}

/** Runtimes pass over masks of paths that do not exist, so only the per-CPU ones have to be looked for. */
export function masks(config: ContainerConfig, facts: Pick<StartFacts, 'sysfsByBind' | 'existing'>): Masks {
  if (config.privileged) return { masked: [], readOnly: [] };
  const unmask = (config.security.unmask ?? []).flatMap((entry) => entry.split(':'));
  const kept = (path: string): boolean => !isUnmasked(path, unmask);
  return {
    masked: [
      // The host's own sysfs, bound: /sys/kernel holds debugfs, tracefs and configfs of the host.
      ...(facts.sysfsByBind ? ['/sys/kernel'] : []),
      ...[...MASKED, ...thermalThrottle(facts.existing)].filter(kept),
      ...(config.security.mask ?? []).flatMap((entry) => entry.split(':')),
    ],
    readOnly: READ_ONLY.filter(kept),
  };
}

/** True if `unmask` (paths, shell patterns, or ALL) names the path. */
export function isUnmasked(path: string, unmask: readonly string[]): boolean {
  return unmask.some((pattern) => pattern.toUpperCase() === 'ALL' || matchesPattern(path, pattern));
}

function* thermalThrottle(existing: (path: string) => boolean): Generator<string> {
  for (let cpu = 0; existing(`/sys/devices/system/cpu/cpu${cpu}`); cpu++) {
    const path = `/sys/devices/system/cpu/cpu${cpu}/thermal_throttle`;
    if (existing(path)) yield path;
  }
}

/** `*` and `?` as in Go's filepath.Match: neither crosses a slash. */
function matchesPattern(path: string, pattern: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replace(/\*+/g, '[^/]*')
    .replaceAll('?', '[^/]');
  return new RegExp(`^${source}$`).test(path);
}
