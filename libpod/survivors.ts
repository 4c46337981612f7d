import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Pids of the monitors that live and are recorded in this run directory. */
export function survivingMonitors(runDirectory: string): number[] {
  const containers = join(runDirectory, 'c');
  let ids: string[];
  try {
    ids = readdirSync(containers);
  } catch {
    return [];
  }
  return ids.flatMap((id) => {
    try {
      const pid = Number(readFileSync(join(containers, id, 'conmon.pid'), 'latin1'));
      return readFileSync(`/proc/${pid}/comm`, 'latin1') === 'conmon\n' ? [pid] : [];
    } catch {
      return [];
    }
  });
}
