import { kernelRelease } from '../../host/boot.ts';
import { log } from '../../core/log.ts';
import type { Driver } from '../../storage/driver/driver.ts';
import { openDriver as openChosen, type DriverChoice } from '../../storage/driver/probe.ts';
import type { Engine } from '../engine.ts';

/** The storage driver of this store. What works here is tried once and remembered as long as kernel and wishes stay the same. */
export async function openDriver(engine: Engine): Promise<Driver> {
  const key = `driver ${kernelRelease()} ${engine.driverWish.driver ?? ''} ${engine.driverWish.mountProgram ?? ''} ${engine.identity.rootless}`;
  const known = engine.db.get(`SELECT value FROM meta WHERE key = ?`, key)?.['value'];
  if (typeof known === 'string') return openChosen(JSON.parse(known) as DriverChoice);
  const { probeDriver } = await import('../../storage/driver/probe.ts');
  const choice = await probeDriver(engine.paths.store, engine.driverWish);
  if (choice.kind === 'vfs' && choice.warning !== undefined) log.warn(choice.warning);
  engine.db.run('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)', key, JSON.stringify(choice));
  return openChosen(choice);
}
