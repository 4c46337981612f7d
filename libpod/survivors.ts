import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../host/if-there.ts';
import { isMonitorName } from './monitor/names.ts';

/** Pids of the monitors that live and are recorded in this run directory. */
export function survivingMonitors(runDirectory: string): number[] {
  const containers = join(runDirectory, 'c');
  return namesIn(containers).flatMap((id) => {
    try {
      const pid = Number(readFileSync(join(containers, id, 'conmon.pid'), 'latin1'));
      return isMonitorName(readFileSync(`/proc/${pid}/comm`, 'latin1').trimEnd()) ? [pid] : [];
    } catch {
      return [];
    }
  });
}
