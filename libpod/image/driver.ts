import { kernelRelease } from '../../host/boot.ts';
import { log } from '../../core/log.ts';
import type { Driver } from '../../storage/driver/driver.ts';
import { openDriver as openChosen, type ProbedDriver } from '../../storage/driver/probe.ts';
import type { Engine } from '../engine.ts';

/** The storage driver of this store. */
export async function openDriver(engine: Engine): Promise<Driver> {
  return openChosen((await probedDriver(engine)).choice);
}

/** What works here is tried once and remembered as long as kernel and wishes stay the same. */
export async function probedDriver(engine: Engine): Promise<ProbedDriver> {
  const { driver = '', mountProgram = '' } = engine.driverWish;
  const key = `probed driver ${kernelRelease()} ${driver} ${mountProgram} ${engine.identity.rootless}`;
  const known = engine.db.get(`SELECT value FROM meta WHERE key = ?`, key)?.['value'];
  if (typeof known === 'string') return JSON.parse(known) as ProbedDriver;
  const { probeDriver } = await import('../../storage/driver/probe.ts');
  const probed = await probeDriver(engine.paths.store, engine.driverWish);
  if (probed.isLastResort) log.warn(`${probed.why}: every container gets a full copy of its image`);
  engine.db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, JSON.stringify(probed));
  return probed;
}
