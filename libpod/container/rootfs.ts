/** The root file system of a container: an image's layers under a writable one, a directory of the host, or a throw-away view of one. */
import { existsSync, rmdirSync, statSync } from 'node:fs';
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { installHint } from '../../host/distribution.ts';
import { hasOneId } from '../../host/idmap.ts';
import { findProgram } from '../../host/search.ts';
import type { Driver } from '../../storage/driver/driver.ts';
import { openDriver } from '../../storage/driver/probe.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { ContainerPlaces } from './places.ts';

/** Mount it; resolves with its path. Idempotent. */
export async function mountRoot(engine: Engine, record: Pick<ContainerRecord, 'config'>, places: ContainerPlaces): Promise<string> {
  const { rootfs, layers, autoRemove } = record.config;
  const idMap = shiftedIds(record.config);
  if (rootfs) {
    if (record.config.pod?.isInfra === true) (await import('../pod/infra-root.ts')).prepareInfraRoot(rootfs.path, record.config);
    if (!existsSync(rootfs.path) || !statSync(rootfs.path).isDirectory()) {
      throw new EngineError('INVALID_ARGUMENT', `rootfs ${rootfs.path}: no such directory`);
    }
    if (!rootfs.overlay) return rootfs.path;
    const { mountView } = await import('./rootview.ts');
    await mountView(engine, rootfs.path, places);
    return places.merged;
  }
  const [driver, store] = await Promise.all([driverFor(engine, record.config), engine.layers()]);
  const mounting = driver.mount({
    lowers: store.lowerDirs(layers as readonly Digest[]),
    upper: places.upper,
    work: places.work,
    merged: places.merged,
    volatile: autoRemove,
    ...(idMap === undefined ? {} : { idMap }),
  });
  await mounting.catch((cause: unknown) => {
    // Looked for only now: a start has better things to do than to doubt its store.
    const missing = layers.find((layer) => !store.has(layer as Digest));
    if (missing === undefined) throw cause;
    throw new EngineError('STORE_CORRUPT', `layer ${missing} is not in the store any more`, {
      cause,
      hint: 'Remove the image with rmi --force, then pull or load it again.',
    });
  });
  return places.merged;
}

/** A container with ids of its own sees the image's files shifted, which the kernel's overlay cannot do for an ordinary user. */
async function driverFor(engine: Engine, config: ContainerConfig): Promise<Driver> {
  if (shiftedIds(config) === undefined) return engine.driver();
  const program = findProgram('fuse-overlayfs');
  if (program === undefined) {
    throw new EngineError(
      'HELPER_MISSING',
      'fuse-overlayfs: not found, and only it can shift the ids of an image for --userns or --uidmap',
      {
        hint: installHint('fuse-overlayfs'),
      },
    );
  }
  return openDriver({ kind: 'fuse-overlayfs', program });
}

/** Where only one id is mapped all files belong to it, whatever the container calls it. */
function shiftedIds({ idMap }: ContainerConfig): ContainerConfig['idMap'] {
  return idMap !== undefined && !hasOneId() ? idMap : undefined;
}

/** After a run. What somebody has mounted with `mount` stays. */
export async function unmountRoot(engine: Engine, record: Pick<ContainerRecord, 'id' | 'config'>, places: ContainerPlaces): Promise<void> {
  if (engine.mounts.count('container', record.id) === 0) await detachRoot(engine, record, places);
}

/** Whoever has it mounted. The directory it was seen in goes too; what the container wrote stays. Idempotent. */
export async function detachRoot(engine: Engine, record: Pick<ContainerRecord, 'config'>, places: ContainerPlaces): Promise<void> {
  const { rootfs } = record.config;
  if (!existsSync(places.merged) || (rootfs && !rootfs.overlay)) return;
  if (rootfs) {
    const { unmountView } = await import('./rootview.ts');
    unmountView(places);
  } else await (await engine.driver()).unmount(places.merged);
  try {
    rmdirSync(places.merged);
  } catch (error) {
    // Still mounted elsewhere, or not empty: the container's removal takes it away.
    log.debug(() => `${places.merged} stays: ${(error as Error).message}`);
  }
}
