import { readFileSync, realpathSync } from 'node:fs';
import { bind, check, errno, ERRNO, syscallError } from './libc.ts';

/** mount(2) flags. */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
  NOATIME: 1024,
  BIND: 4096,
  MOVE: 8192,
  REC: 16384,
  UNBINDABLE: 1 << 17,
  PRIVATE: 1 << 18,
  SLAVE: 1 << 19,
  SHARED: 1 << 20,
} as const;

const MNT_DETACH = 2;
const UMOUNT_NOFOLLOW = 8;

const nativeMount = bind('int mount(const char *source, const char *target, const char *type, ulong flags, const char *data)');
const nativeUmount = bind('int umount2(const char *target, int flags)');

/** mount(2). Throws SYSCALL naming the target. `data` is limited to one page by the kernel. */
export function mount(source: string, target: string, type: string | null, flags: number, data: string | null = null): void {
  check(nativeMount(source, target, type, flags, data), 'mount', `${type ?? source} on ${target}`);
}

/** Bind `source` at `target`; `recursive` takes the mounts below it along. */
export function bindMount(source: string, target: string, options: { recursive?: boolean } = {}): void {
  mount(source, target, null, MS.BIND | (options.recursive ? MS.REC : 0));
}

/** Detach the mount at `target` lazily; false if nothing is mounted there. Symbolic links are not followed. */
export function unmount(target: string): boolean {
  if (nativeUmount(target, MNT_DETACH | UMOUNT_NOFOLLOW) === 0) return true;
  const number = errno();
  if (number === ERRNO.EINVAL || number === ERRNO.ENOENT) return false;
  throw syscallError('umount', target, number);
}

/** Detach every mount stacked at `target`. */
export function unmountAll(target: string): void {
  while (unmount(target));
}

/** Detach every mount at `path` and below it, the last one first. */
export function unmountBelow(path: string): void {
  const points = mountTable().map((entry) => entry.mountPoint);
  for (const point of points.toReversed()) if (point === path || point.startsWith(`${path}/`)) unmountAll(point);
}

export interface MountEntry {
  readonly mountPoint: string;
  readonly fsType: string;
  readonly source: string;
  readonly root: string;
  readonly options: string;
}

/** The mounts of this process's namespace, in mount order (proc(5), mountinfo). */
export function mountTable(): readonly MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of readFileSync('/proc/self/mountinfo', 'latin1').split('\n')) {
    const [left, right] = line.split(' - ');
    if (left === undefined || right === undefined) continue;
    const fields = left.split(' ');
    const [fsType = '', source = ''] = right.split(' ');
    entries.push({
      mountPoint: unescape(fields[4] ?? ''),
      root: unescape(fields[3] ?? ''),
      fsType,
      source: unescape(source),
      options: fields[5] ?? '',
    });
  }
  return entries;
}

/** Options (`ro`, `nosuid`, …) of the mount that `path` lies on; symbolic links are followed. Throws ENOENT as the file system does. */
export function mountOptionsAt(path: string): readonly string[] {
  const real = realpathSync(path);
  const holders = mountTable().filter(({ mountPoint }) => mountPoint === '/' || real === mountPoint || real.startsWith(`${mountPoint}/`));
  // Of two mounts on the same point the later one is on top.
  const top = holders.reduce<MountEntry | undefined>(
    (best, entry) => (best && best.mountPoint.length > entry.mountPoint.length ? best : entry),
    undefined,
  );
  return top?.options.split(',') ?? [];
}

export function isMountPoint(path: string): boolean {
  return mountTable().some((entry) => entry.mountPoint === path);
}

/** mountinfo writes space, tab, newline and backslash as octal; the rest are the path's own bytes. */
function unescape(text: string): string {
  return Buffer.from(
    text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8))),
    'latin1',
  ).toString('utf8');
}
