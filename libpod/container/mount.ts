/** `mount`: the root file system of a container, for somebody outside of it, whether it runs or not. */
import type { ContainerId } from '../../core/id.ts';
import { isMountPoint } from '../../host/mount.ts';
import type { Engine } from '../engine.ts';
import { LIVE, type ContainerRecord } from '../state/containers.ts';
import { containerEvent } from './event.ts';
import { lockAndRead, tryLockContainer } from './lock.ts';
import { placesOf } from './places.ts';
import { detachRoot, mountRoot } from './rootfs.ts';

/**
 * Mount it, or count once more; resolves with the path. It stays when the container stops, until as many unmounts or the container's removal.
 * A root file system of the caller's own is where it always is. Throws NO_SUCH_CONTAINER and what mountRoot throws.
 */
export async function mountContainer(engine: Engine, id: ContainerId): Promise<string> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  const places = placesOf(engine, id);
  if (record.config.rootfs && !record.config.rootfs.overlay) return mountRoot(engine, record, places);
  const isNew = !isMountPoint(places.merged);
  engine.db.transaction(() => {
    if (isNew) engine.mounts.forget('container', id);
    engine.mounts.add('container', id);
    engine.events.add(containerEvent(record, 'mount'));
  });
  try {
    return await mountRoot(engine, record, places);
  } catch (error) {
    if (isNew) {
      await detachRoot(engine, record, places);
      engine.mounts.forget('container', id);
    }
    throw error;
  }
}

/**
 * Count one less, and unmount when nobody is left; at once with `force`. A container that runs keeps its root file system in any case.
 * False when nobody had asked for the mount. Throws NO_SUCH_CONTAINER.
 */
export async function unmountContainer(engine: Engine, id: ContainerId, options: { readonly force: boolean }): Promise<boolean> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  const count = engine.mounts.count('container', id);
  if (count > 1 && !options.force) engine.mounts.lessen('container', id);
  else {
    if (!LIVE.includes(record.status)) await detachRoot(engine, record, placesOf(engine, id));
    engine.mounts.forget('container', id);
  }
  if (count > 0) engine.events.add(containerEvent(record, 'unmount'));
  return count > 0;
}

export interface MountedContainer {
  readonly record: ContainerRecord;
  readonly path: string;
}

/** Those that run among them. */
export function mountedContainers(engine: Engine): MountedContainer[] {
  return engine.containers
    .list()
    .map((record) => ({ record, path: placesOf(engine, record.id).merged }))
    .filter(({ path }) => isMountPoint(path));
}

/** Rows whose mount is gone: of a killed command, or of a namespace that ended. */
export function healContainerMounts(engine: Engine): void {
  for (const id of engine.mounts.ids('container') as ContainerId[]) {
    if (isMountPoint(placesOf(engine, id).merged)) continue;
    using lock = tryLockContainer(engine, id);
    if (lock && !isMountPoint(placesOf(engine, id).merged)) engine.mounts.forget('container', id);
  }
}
