/**
 * The way to a container's root for a runtime that walks it inside the container's own user namespace: where our own id is not in the map
 * (`--userns nomap` and `auto`, or one of the two by `--uidmap`), not even the capabilities it has there lead through a directory of mode 0700.
 */
import { chmodSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { log } from '../../core/log.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { IdRange } from '../spec/wish.ts';
import type { ContainerPlaces } from './places.ts';

const EXECUTE = 0o011;
const READ = 0o055;

/**
 * Execute permission on directories of the store lets it pass and nobody list; names of containers are 64 random hex digits. The bundle is
 * opened for reading, below a run directory that stays closed. What lies above the store is the user's: where that is closed, it is said, and
 * containers get lichen's own runtime unless another was asked for.
 */
export function letThrough(engine: Engine, config: Users, places: ContainerPlaces): void {
  if (!isForeign(config)) return;
  for (const directory of [engine.paths.store, dirname(places.directory), places.directory]) allow(directory, EXECUTE);
  allow(places.run, READ);
  const closed = closedAbove(engine);
  if (closed !== undefined)
    log.info(`${closed} is closed to other users: crun cannot start a container without your own id below it (chmod o+x ${closed})`);
}

/** crun finds no way to its root: lichen's own runtime has opened it before. */
export function isOutOfReach(engine: Engine, config: Users): boolean {
  return isForeign(config) && closedAbove(engine) !== undefined;
}

type Users = Pick<ContainerConfig, 'idMap'>;

/** Our own id is not in its user namespace. */
function isForeign({ idMap }: Users): boolean {
  return idMap !== undefined && !(hasOwn(idMap.uids) && hasOwn(idMap.gids));
}

function closedAbove(engine: Engine): string | undefined {
  for (let above = dirname(engine.paths.store); above !== '/'; above = dirname(above))
    if ((statSync(above).mode & 0o001) === 0) return above;
  return undefined;
}

/** Ours is 0 in lichen's user namespace. */
function hasOwn(ranges: readonly IdRange[]): boolean {
  return ranges.some(({ hostId }) => hostId === 0);
}

function allow(directory: string, bits: number): void {
  const { mode } = statSync(directory);
  if ((mode & bits) !== bits) chmodSync(directory, (mode & 0o777) | bits);
}
