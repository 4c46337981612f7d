/** `--mount type=image`: the tree of an image, read-only or with changes that go away with the container. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Engine } from '../engine.ts';
import type { ContainerMount } from '../spec/container.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { placesOf } from '../container/places.ts';
import { findImage } from './find.ts';

/** Mounted below the container's directory, so that its tear-down finds it. Throws NO_SUCH_IMAGE. */
export async function mountImageVolume(
  engine: Engine,
  record: ContainerRecord,
  mount: Extract<ContainerMount, { type: 'image' }>,
): Promise<string> {
  const { image } = await findImage(engine, mount.source);
  const [driver, layers] = await Promise.all([engine.driver(), engine.layers()]);
  const base = join(placesOf(engine, record.id).directory, 'images', Buffer.from(mount.target).toString('base64url'));
  const merged = join(base, 'merged');
  mkdirSync(base, { recursive: true, mode: 0o700 });
  await driver.mount({
    lowers: layers.lowerDirs(image.layers),
    merged,
    ...(mount.writable ? { upper: join(base, 'upper'), work: join(base, 'work') } : {}),
  });
  return merged;
}

/** Undo every mountImageVolume of the container. Idempotent. */
export async function unmountImageVolumes(engine: Engine, record: ContainerRecord): Promise<void> {
  const driver = await engine.driver();
  for (const mount of record.config.mounts) {
    if (mount.type !== 'image') continue;
    await driver.unmount(join(placesOf(engine, record.id).directory, 'images', Buffer.from(mount.target).toString('base64url'), 'merged'));
  }
}
