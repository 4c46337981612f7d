/** The limits of a ContainerWish. */
import { defined } from '../../libpod/spec/defined.ts';
import { invalid, parseUint } from '../../libpod/spec/parse/go.ts';
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
> &
  Partial<Pick<WishFlags, 'pids-limit' | 'oom-kill-disable'>>;

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
    oomKillDisable: given.has('oom-kill-disable') ? flags['oom-kill-disable'] : undefined,
  });
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
