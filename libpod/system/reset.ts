/** `system reset`: containers are stopped, mounts undone, then store and run directory go, and with them everything. */
import { basename, join } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import { log } from '../../core/log.ts';
import { mountTable, unmountAll } from '../../host/mount.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import type { Engine } from '../engine.ts';
import { removeUnit } from '../boot/unit.ts';
import { endPause } from './pause.ts';

/**
 * Remove all that lichen keeps. The engine is of no use afterwards. A container that does not go is told and passed over: its directory goes anyway.
 * Idempotent; killed in between, another reset does the rest.
 */
export async function resetStore(engine: Engine): Promise<void> {
  await removeContainers(engine);
  await removeUnit(engine);
  const { paths, options } = engine;
  const places = [paths.store, paths.run, ...(options.volumePath === undefined ? [] : [options.volumePath])];
  unmountBelow(places);
  engine[Symbol.dispose]();
  await endPause(engine);
  // The database goes first: what is left of a reset that was cut short is then nobody's, and not half a store.
  for (const file of ['db.sqlite-wal', 'db.sqlite-shm', 'db.sqlite']) removeTree(join(paths.store, file));
  for (const place of places) emptyDirectory(place);
}

async function removeContainers(engine: Engine): Promise<void> {
  const { removeContainer } = await import('../container/remove.ts');
  for (const { id, name } of engine.containers.list().toReversed()) {
    if (!engine.containers.get(id)) continue;
    try {
      await removeContainer(engine, id, { force: true, volumes: true, depend: true });
    } catch (error) {
      log.warn(`container ${name}: ${(error as Error).message}`);
    }
  }
}

function unmountBelow(places: readonly string[]): void {
  const below = mountTable()
    .map(({ mountPoint }) => mountPoint)
    .filter((point) => places.some((place) => point.startsWith(`${place}/`)));
  for (const point of below.toReversed()) unmountAll(point);
}

/** The directory itself may have been made by someone else, with a mode of its own: it stays, empty. */
function emptyDirectory(path: string): void {
  for (const name of namesIn(path)) {
    try {
      removeTree(join(path, name));
    } catch (error) {
      log.warn(`${basename(path)}/${name} cannot be removed: ${(error as Error).message}`);
    }
  }
}
