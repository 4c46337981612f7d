/** What `info` tells of the machine, from /proc and /etc. Texts in, values out. */
import { osReleaseField, readDistribution } from '../../core/distribution.ts';
import { readIfThere } from '../../host/if-there.ts';

export interface CpuUtilization {
  readonly userPercent: number;
  readonly systemPercent: number;
  readonly idlePercent: number;
}

/** Since boot, from the first line of /proc/stat (proc(5)). */
export function parseCpuUtilization(stat: string): CpuUtilization {
  const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] = (stat.split('\n')[0] ?? '')
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const total = user + nice + system + idle + wait + irq + softIrq + steal;
  const percent = (part: number): number => (total === 0 ? 0 : Math.round((part * 10_000) / total) / 100);
  return { userPercent: percent(user), systemPercent: percent(system), idlePercent: percent(idle) };
}

/** Bytes, from /proc/meminfo. */
export function parseMemory(meminfo: string): { memFree: number; memTotal: number; swapFree: number; swapTotal: number } {
  const read = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(meminfo)?.[1] ?? 0) * 1024;
  return { memFree: read('MemFree'), memTotal: read('MemTotal'), swapFree: read('SwapFree'), swapTotal: read('SwapTotal') };
}

/** os-release(5). */
export function parseDistribution(osRelease: string): { distribution: string; version: string; codename?: string } {
  const codename = osReleaseField(osRelease, 'VERSION_CODENAME');
  const { id, version } = readDistribution(osRelease);
  return { distribution: id, version, ...(codename ? { codename } : {}) };
}

/** Go's Duration with a blank between its parts and days counted, as Podman prints it: `0h 39m 41.00s`, `49h 2m 5.00s (Approximately 2.04 days)`. */
export function formatUptime(seconds: number): string {
  const whole = Math.floor(seconds);
  const hours = Math.floor(whole / 3600);
  const parts = `${hours}h ${Math.floor((whole % 3600) / 60)}m ${(whole % 60).toFixed(2)}s`;
  return hours > 24 ? `${parts} (Approximately ${(hours / 24).toFixed(2)} days)` : parts;
}

/** The text of a file; empty where it cannot be read. */
export function readText(path: string): string {
  return readIfThere(path) ?? '';
}

const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'extfs'],
  [0x9123683e, 'btrfs'],
  [0x58465342, 'xfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x2fc12fc1, 'zfs'],
  [0x6969, 'nfs'],
  [0xf2f52010, 'f2fs'],
  [0x65735546, 'fuse'],
]);

/** Podman's word for statfs(2)'s f_type. */
export function fileSystemName(type: number): string {
  return FILE_SYSTEMS.get(type) ?? '<unknown>';
}
