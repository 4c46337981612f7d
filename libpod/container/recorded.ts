import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { identify, isAlive, type ProcessIdentity } from '../../host/pid.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { ContainerPlaces } from './places.ts';

/** The monitor by the pid file it wrote, for a start that was killed before its row knew. Undefined when it is gone or was never there. */
export function recordedMonitor(places: ContainerPlaces): ProcessIdentity | undefined {
  try {
    const pid = Number(readFileSync(join(places.run, 'conmon.pid'), 'latin1'));
    const isMonitor = readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(places.run);
    return isMonitor ? identify(pid) : undefined;
  } catch {
    return undefined;
  }
}

/** The living monitor of the container's latest run, from its row or from the file it wrote. */
export function monitorOf(record: Pick<ContainerRecord, 'monitor'>, places: ContainerPlaces): ProcessIdentity | undefined {
  if (record.monitor) return isAlive(record.monitor) ? record.monitor : undefined;
  return recordedMonitor(places);
}
