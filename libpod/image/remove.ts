/** `rmi`: names go first, the image with its last one, its parts when nothing else names them (garbage.ts). */
import { EngineError } from '../../core/errors.ts';
import type { ContainerId, ImageId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import type { ImageRecord } from '../state/images.ts';
import { giveUpReserve } from '../state/reserve.ts';
import { isDangling } from './filter.ts';
import { findImageOrList, lookUpImage, lookUpImageOrList, type FoundImage } from './find.ts';
import { collectGarbage, noteGarbage } from './garbage.ts';
import { lineage } from './parents.ts';

export interface RemoveImageOptions {
  /** Remove containers of the image first, and all of its names. */
  readonly force: boolean;
  /** Keep nameless parents that are left without children. */
  readonly keepParents: boolean;
  /** A name that is not known is no error. */
  readonly ignoreMissing: boolean;
}

export interface RemovedImages {
  readonly untagged: readonly string[];
  readonly deleted: readonly ImageId[];
  /** What could not be removed; the others were. */
  readonly failures: readonly unknown[];
}

interface Report {
  readonly untagged: string[];
  readonly deleted: ImageId[];
  readonly failures: unknown[];
}

/** All are looked up before the first is removed. Failures are in the result: NO_SUCH_IMAGE, IN_USE, and what removing a container throws. */
export async function removeImages(engine: Engine, names: readonly string[], options: RemoveImageOptions): Promise<RemovedImages> {
  const report: Report = { untagged: [], deleted: [], failures: [] };
  const found: FoundImage[] = [];
  for (const name of names) {
    const image = options.ignoreMissing
      ? await lookUpImageOrList(engine, name)
      : await collect(report, () => findImageOrList(engine, name));
    if (image) found.push(image);
  }
  for (const { image, name } of found) await collect(report, () => removeReferenced(engine, image.id, name, options, report));
  await collectGarbage(engine);
  return report;
}

/** Every image, whatever its names, in the order they were stored in. */
export async function removeAllImages(engine: Engine, options: RemoveImageOptions): Promise<RemovedImages> {
  const report: Report = { untagged: [], deleted: [], failures: [] };
  await removeWhole(
    engine,
    engine.images
      .list()
      .toSorted((a, b) => a.storedMs - b.storedMs)
      .map(({ id }) => id),
    options,
    report,
  );
  await collectGarbage(engine);
  return report;
}

/** Images by id, with all of their names. */
export async function removeWholeImages(engine: Engine, ids: readonly ImageId[], options: RemoveImageOptions): Promise<RemovedImages> {
  const report: Report = { untagged: [], deleted: [], failures: [] };
  await removeWhole(engine, ids, options, report);
  await collectGarbage(engine);
  return report;
}

async function removeWhole(engine: Engine, ids: readonly ImageId[], options: RemoveImageOptions, report: Report): Promise<void> {
  for (const id of ids) await collect(report, () => removeImage(engine, id, options, report));
}

/** By one of several names only that name goes; by id or digest with several names, force is wanted. */
async function removeReferenced(
  engine: Engine,
  id: ImageId,
  name: string | undefined,
  options: RemoveImageOptions,
  report: Report,
): Promise<void> {
  giveUpReserve(engine);
  const image = engine.images.byId(id);
  // An earlier word of the same command took it along.
  if (!image) return;
  if (image.names.length > 1) {
    if (name !== undefined && !name.includes('@')) {
      engine.db.transaction(() => {
        engine.images.unname(name);
        engine.events.add({ type: 'image', status: 'untag', id, name });
      });
      report.untagged.push(name);
      return;
    }
    if (!options.force) {
      throw new EngineError(
        'WRONG_STATE',
        `unable to delete image ${JSON.stringify(id)} by ${name === undefined ? 'ID' : 'digest'} with more than one tag ([${image.names.join(' ')}]): please force removal`,
      );
    }
  }
  await removeImage(engine, id, options, report);
}

async function removeImage(engine: Engine, id: ImageId, options: RemoveImageOptions, report: Report): Promise<void> {
  giveUpReserve(engine);
  const image = engine.images.byId(id);
  if (!image) return;
  const mounted = await mountingContainers(engine, image);
  if (options.force) await removeContainers(engine, [...usersOf(engine, id), ...mounted]);
  else refuseInUse(mounted);
  const { parentOf, withChildren } = lineage(engine.images.list());
  const removed = engine.db.transaction(() => {
    const now = engine.images.byId(id);
    if (!now) return undefined;
    refuseInUse(usersOf(engine, id));
    refuseOfVolume(engine, id);
    noteGarbage(engine, now);
    engine.images.remove(id);
    for (const name of now.names) engine.events.add({ type: 'image', status: 'untag', id, name });
    engine.events.add({ type: 'image', status: 'remove', id, name: now.names[0] ?? '' });
    return now;
  });
  if (!removed) return;
  const { dropImageMount } = await import('./mount.ts');
  await dropImageMount(engine, id);
  report.untagged.push(...removed.names);
  // With an image built on it the data are still there: Podman says nothing then.
  if (!withChildren.has(id)) report.deleted.push(id);
  const parent = parentOf.get(id);
  if (parent !== undefined && !options.keepParents) await removeOrphan(engine, parent as ImageId, options, report);
}

/** A nameless step of a build that nothing else is built on. One in use stays. */
async function removeOrphan(engine: Engine, id: ImageId, options: RemoveImageOptions, report: Report): Promise<void> {
  const image = engine.images.byId(id);
  if (
    !image ||
    !isDangling(image, lineage(engine.images.list())) ||
    usersOf(engine, id).length > 0 ||
    engine.volumes.ofImage(id).length > 0
  )
    return;
  await removeImage(engine, id, { ...options, force: false }, report);
}

function refuseInUse(users: readonly ContainerId[]): void {
  const user = users.at(-1);
  if (user === undefined) return;
  throw new EngineError(
    'IN_USE',
    `image used by ${user}: image is in use by a container: consider listing external containers and force-removing image`,
    { hint: 'Remove the container, or use --force to remove both.' },
  );
}

function refuseOfVolume(engine: Engine, id: ImageId): void {
  const [volume] = engine.volumes.ofImage(id);
  if (volume === undefined) return;
  throw new EngineError('IN_USE', `image used by volume ${volume.name}: image is in use by a volume`, {
    hint: `Remove the volume first: lichen volume rm ${volume.name}`,
  });
}

/** Oldest first. */
function usersOf(engine: Engine, id: ImageId): ContainerId[] {
  return engine.containers
    .usingImage(id)
    .toSorted((a, b) => a.createdMs - b.createdMs)
    .map((container) => container.id);
}

/** Containers with `--mount type=image` of it: its layers lie under a mount of theirs. */
async function mountingContainers(engine: Engine, image: ImageRecord): Promise<ContainerId[]> {
  const users: ContainerId[] = [];
  for (const { config } of engine.containers.mountingImages()) {
    for (const mount of config.mounts) {
      if (mount.type === 'image' && (await lookUpImage(engine, mount.source))?.image.id === image.id) users.push(config.id);
    }
  }
  return users;
}

async function removeContainers(engine: Engine, ids: readonly ContainerId[]): Promise<void> {
  if (ids.length === 0) return;
  const { removeContainer } = await import('../container/remove.ts');
  for (const id of new Set(ids)) {
    if (engine.containers.get(id)) await removeContainer(engine, id, { force: true, volumes: false, depend: true });
  }
}

async function collect<T>(report: Report, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    report.failures.push(error);
    return undefined;
  }
}
