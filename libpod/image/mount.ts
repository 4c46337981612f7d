/**
 * `image mount`: the tree of an image, read-only, at `mounts/<id>/merged` of the store for as long as somebody wants it.
 * Who mounts or unmounts holds the image's lock; the row that counts comes before the mount and goes after it.
 */
import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import { EngineError } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { lockFile, tryLockFile } from '../../host/flock.ts';
import { isMountPoint, unmountBelow } from '../../host/mount.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import type { Engine } from '../engine.ts';
import type { ImageRecord } from '../state/images.ts';

/** Mount it, or count once more; resolves with the path. Throws NO_SUCH_OBJECT (an image without layers), NO_SUCH_IMAGE (removed meanwhile). */
export async function mountImage(engine: Engine, { id, names, layers }: ImageRecord): Promise<string> {
  if (layers.length === 0) throw new EngineError('NO_SUCH_OBJECT', 'layer not known');
  const [driver, store] = await Promise.all([engine.driver(), engine.layers()]);
  using _lock = await lockFile(lockPath(engine, id));
  const merged = mergedPath(engine, id);
  const isNew = !driver.isMounted(merged);
  engine.db.transaction(() => {
    if (!engine.images.has(id)) throw new EngineError('NO_SUCH_IMAGE', `${names[0] ?? id}: image not known`);
    if (isNew) engine.mounts.forget('image', id);
    engine.mounts.add('image', id);
    engine.events.add({ type: 'image', status: 'mount', id, name: names[0] ?? id });
  });
  try {
    await driver.mount({ lowers: store.lowerDirs(layers), merged });
  } catch (error) {
    if (isNew) await detach(engine, id);
    throw error;
  }
  return merged;
}

/** Count one less, and unmount when nobody is left; at once with `force`. False when it was not mounted. */
export async function unmountImage(engine: Engine, { id, names }: ImageRecord, options: { readonly force: boolean }): Promise<boolean> {
  using _lock = await lockFile(lockPath(engine, id));
  const isMounted = isMountPoint(mergedPath(engine, id));
  if (!options.force && engine.mounts.count('image', id) > 1) engine.mounts.lessen('image', id);
  else await detach(engine, id);
  if (isMounted) engine.events.add({ type: 'image', status: 'unmount', id, name: names[0] ?? id });
  return isMounted;
}

export interface MountedImage {
  readonly image: ImageRecord;
  readonly path: string;
}

export function mountedImages(engine: Engine): MountedImage[] {
  return engine.mounts.ids('image').flatMap((id) => {
    const image = engine.images.byId(id);
    const path = mountedAt(engine, id as ImageId);
    return image && path !== undefined ? [{ image, path }] : [];
  });
}

/** Where the image is mounted now. */
export function mountedAt(engine: Engine, id: ImageId): string | undefined {
  const merged = mergedPath(engine, id);
  return isMountPoint(merged) ? merged : undefined;
}

/** Of an image that was removed: its layers are about to go. */
export async function dropImageMount(engine: Engine, id: ImageId): Promise<void> {
  if (mountedAt(engine, id) === undefined && engine.mounts.count('image', id) === 0) return;
  using _lock = await lockFile(lockPath(engine, id));
  await detach(engine, id);
}

/** Rows without a mount and mounts without a row, left by killed commands or an earlier namespace. */
export async function healImageMounts(engine: Engine): Promise<void> {
  for (const id of new Set([...engine.mounts.ids('image'), ...namesIn(mountsDirectory(engine))])) {
    const isSound = (): boolean => engine.mounts.count('image', id) > 0 && mountedAt(engine, id as ImageId) !== undefined;
    if (isSound()) continue;
    using lock = tryLockFile(lockPath(engine, id));
    if (lock && !isSound()) await detach(engine, id as ImageId);
  }
}

/** Exists while an image is mounted. */
export function mountsDirectory(engine: Engine): string {
  return join(engine.paths.store, 'mounts');
}

/** The lock is held. */
async function detach(engine: Engine, id: ImageId): Promise<void> {
  const directory = dirname(mergedPath(engine, id));
  await (await engine.driver()).unmount(mergedPath(engine, id));
  unmountBelow(directory);
  removeTree(directory);
  engine.mounts.forget('image', id);
  try {
    rmdirSync(mountsDirectory(engine));
  } catch {
    // Another image is mounted, or nobody ever mounted one.
  }
}

function mergedPath(engine: Engine, id: ImageId): string {
  return join(mountsDirectory(engine), id, 'merged');
}

/** One of 256 files: one for each image there ever was would never go away. */
function lockPath(engine: Engine, id: string): string {
  const directory = join(engine.paths.run, 'locks');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return join(directory, `image-${id.slice(0, 2)}`);
}
