/** The limits of a ContainerWish. */
import { defined } from '../../libpod/spec/defined.ts';
import { invalid, parseUint } from '../../libpod/spec/parse/go.ts';
import { parseCgroupFile, parseDeviceRate, parseDeviceWeight } from '../../libpod/spec/parse/limited-device.ts';
import { parseLimitBytes, parseMemorySwap } from '../../libpod/spec/parse/limits.ts';
import type { Resources } from '../../libpod/spec/wish.ts';
import type { WishFlags } from './assemble.ts';

export type ResourceFlags = Pick<
  WishFlags,
  | 'memory'
  | 'memory-reservation'
  | 'memory-swap'
  | 'memory-swappiness'
  | 'cpu-shares'
  | 'cpu-period'
  | 'cpu-quota'
  | 'cpus'
  | 'cpuset-cpus'
  | 'cpuset-mems'
  | 'blkio-weight'
  | 'blkio-weight-device'
  | 'device-read-bps'
  | 'device-write-bps'
> &
  Partial<Pick<WishFlags, 'pids-limit' | 'oom-kill-disable' | 'cgroup-conf' | 'device-read-iops' | 'device-write-iops'>>;

/** Throws INVALID_ARGUMENT. */
export function resourceWish(flags: ResourceFlags, given: ReadonlySet<string>): Resources {
  return defined({
    memoryBytes: size(flags.memory, 'memory'),
    memoryReservationBytes: size(flags['memory-reservation'], 'memory-reservation'),
    memorySwapBytes: flags['memory-swap'] ? parseMemorySwap(flags['memory-swap']) : undefined,
    memorySwappiness: flags['memory-swappiness'] === -1 ? undefined : flags['memory-swappiness'],
    cpuShares: flags['cpu-shares'] || undefined,
    cpuPeriodMicros: flags['cpu-period'],
    cpuQuotaMicros: flags['cpu-quota'],
    cpus: flags.cpus || undefined,
    cpusetCpus: flags['cpuset-cpus'] || undefined,
    cpusetMems: flags['cpuset-mems'] || undefined,
    pidsLimit: flags['pids-limit'],
    blkioWeight: flags['blkio-weight'] ? weight(flags['blkio-weight']) : undefined,
    blkioWeightDevices: list(flags['blkio-weight-device'], parseDeviceWeight),
    readBps: list(flags['device-read-bps'], (text) => parseDeviceRate(text, 'bytes')),
    writeBps: list(flags['device-write-bps'], (text) => parseDeviceRate(text, 'bytes')),
    readIops: list(flags['device-read-iops'], (text) => parseDeviceRate(text, 'operations')),
    writeIops: list(flags['device-write-iops'], (text) => parseDeviceRate(text, 'operations')),
    cgroupFiles: flags['cgroup-conf']?.length ? Object.fromEntries(flags['cgroup-conf'].map(parseCgroupFile)) : undefined,
    oomKillDisable: given.has('oom-kill-disable') ? flags['oom-kill-disable'] : undefined,
  });
}

function list<T>(texts: readonly string[] | undefined, parse: (text: string) => T): readonly T[] | undefined {
  return texts === undefined || texts.length === 0 ? undefined : texts.map(parse);
}

function size(text: string | undefined, flag: string): number | undefined {
  return text ? parseLimitBytes(text, flag) : undefined;
}

function weight(text: string): number {
  try {
    return parseUint(text, 16);
  } catch (error) {
    throw invalid(`invalid value for blkio-weight: ${(error as Error).message}`);
  }
}
