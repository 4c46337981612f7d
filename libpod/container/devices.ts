/** Devices of this machine for a container: those asked for, and with --privileged all that may be seen. */
import { readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { ContainerConfig, HostDevice } from '../spec/container.ts';
import { isPrivilegedDevice } from '../spec/devices.ts';
import type { DeviceWish, Resources } from '../spec/wish.ts';

/** Throws INVALID_ARGUMENT: not there, or no device. */
export function hostDevices(config: ContainerConfig): HostDevice[] {
  const asked = config.devices.flatMap(askedDevices);
  if (!config.privileged) return asked;
  const paths = new Set(asked.map(({ path }) => path));
  const all = nodesBelow('/dev').filter((path) => !paths.has(path) && isPrivilegedDevice(path, config.systemd));
  return [...asked, ...all.flatMap((path) => deviceAt({ hostPath: path, containerPath: path, access: 'rwm' }) ?? [])];
}

/** A directory stands for the devices in it. Throws INVALID_ARGUMENT. */
export function askedDevices(wish: DeviceWish): HostDevice[] {
  const stat = statSync(wish.hostPath, { throwIfNoEntry: false });
  if (stat === undefined) throw new EngineError('INVALID_ARGUMENT', `stat ${wish.hostPath}: no such file or directory`);
  if (stat.isDirectory()) {
    return nodesBelow(wish.hostPath).flatMap(
      (path) => deviceAt({ ...wish, hostPath: path, containerPath: join(wish.containerPath, path.slice(wish.hostPath.length)) }) ?? [],
    );
  }
  const device = deviceAt(wish);
  if (device === undefined) throw new EngineError('INVALID_ARGUMENT', `${wish.hostPath} is not a device node`);
  return [device];
}

/** The devices of `--device-read-bps` and its kin, and of `--blkio-weight-device`. Throws INVALID_ARGUMENT. */
export function checkLimitedDevices({
  blkioWeightDevices = [],
  readBps = [],
  writeBps = [],
  readIops = [],
  writeIops = [],
}: Resources): void {
  for (const { path } of blkioWeightDevices) {
    if (statSync(path, { throwIfNoEntry: false })) continue;
    throw new EngineError('INVALID_ARGUMENT', `failed to inspect '${path}' in --blkio-weight-device: no such file or directory`);
  }
  for (const { path } of [...readBps, ...writeBps, ...readIops, ...writeIops]) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (!stat) throw new EngineError('INVALID_ARGUMENT', `could not parse device ${path}: no such file or directory`);
    if (!stat.isBlockDevice()) throw new EngineError('INVALID_ARGUMENT', `${path}: not a block device`);
  }
}

function nodesBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true }).flatMap((entry) => {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) return readable(path) ? nodesBelow(path) : [];
    return entry.isCharacterDevice() || entry.isBlockDevice() ? [path] : [];
  });
}

function readable(directory: string): boolean {
  try {
    readdirSync(directory);
    return true;
  } catch {
    return false;
  }
}

function deviceAt(wish: DeviceWish): HostDevice | undefined {
  const stat = statSync(wish.hostPath, { throwIfNoEntry: false });
  const type = stat && typeOf(stat);
  if (!stat || type === undefined) return undefined;
  return {
    path: wish.containerPath,
    hostPath: wish.hostPath,
    type,
    ...splitNumber(stat.rdev),
    fileMode: stat.mode & 0o7777,
    uid: stat.uid,
    gid: stat.gid,
    access: wish.access,
  };
}

/** 0:0, which no device has, where there is none. */
export function deviceNumber(path: string): { readonly major: number; readonly minor: number } {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? { major: 0, minor: 0 } : splitNumber(stat.rdev);
}

function typeOf(stat: Stats): HostDevice['type'] | undefined {
  return stat.isCharacterDevice() ? 'c' : stat.isBlockDevice() ? 'b' : stat.isFIFO() ? 'p' : undefined;
}

/** As makedev(3) of the C library lays it out. */
function splitNumber(rdev: number): { major: number; minor: number } {
  return { major: (rdev >>> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >>> 12) & 0xfff00) };
}
