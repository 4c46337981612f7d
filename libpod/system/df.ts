/**
 * `system df`: what images, containers and volumes take, counted in bytes of content.
 *
 * The rule by which the numbers agree with du(1): a layer counts as its uncompressed tar, as in every other list: its files as `du --apparent-size`
 * counts them, each once, and at most 2 KiB for each entry (header and padding) and 20 KiB of trailer more. An image adds its documents.
 * Layers that several images have count once. Containers (what they wrote) and volumes count as the sum of their files and links.
 */
import type { Digest } from '../../core/digest.ts';
import { isEngineError } from '../../core/errors.ts';
import type { LayerStore } from '../../storage/layer/store.ts';
import { diskUsage } from '../../storage/tree/usage.ts';
import { cacheUsage } from '../build/caches.ts';
import { containerSize } from '../container/size.ts';
import { volumeData } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { NEVER } from '../inspect/time.ts';
import { shownStatus } from '../state/containers.ts';
import type { ImageRecord } from '../state/images.ts';
import type { ContainerUsage, DiskUsageSummary, ImageUsage, VolumeUsage } from '../summary.ts';

export async function storeUsage(engine: Engine): Promise<DiskUsageSummary> {
  const layers = await engine.layers();
  const sizes = new Map<Digest, number>();
  const sizeOf = (layer: Digest): number => {
    let size = sizes.get(layer);
    if (size === undefined) sizes.set(layer, (size = sizeIfThere(layers, layer)));
    return size;
  };
  return {
    ...imageUsage(engine, sizeOf),
    containers: await containerUsage(engine),
    volumes: volumeUsage(engine),
    caches: cacheUsage(engine),
  };
}

/** A layer that is missing or damaged takes nothing here; `system check` tells of it. */
function sizeIfThere(layers: LayerStore, layer: Digest): number {
  try {
    return layers.sizeBytes(layer);
  } catch (error) {
    if (isEngineError(error, 'STORE_CORRUPT')) return 0;
    throw error;
  }
}

function imageUsage(
  engine: Engine,
  sizeOf: (layer: Digest) => number,
): Pick<DiskUsageSummary, 'images' | 'imageBytes' | 'imageReclaimableBytes'> {
  const images = engine.images.list().toSorted((a, b) => a.storedMs - b.storedMs);
  const users = new Map<string, number>();
  for (const { config } of engine.containers.list()) {
    if (config.imageId !== undefined) users.set(config.imageId, (users.get(config.imageId) ?? 0) + 1);
  }
  const isUsed = ({ id }: ImageRecord): boolean => users.has(id);
  const holders = new Map<Digest, number>();
  for (const { layers } of images) for (const layer of new Set(layers)) holders.set(layer, (holders.get(layer) ?? 0) + 1);
  const kept = new Set([
    ...images.filter(isUsed).flatMap(({ layers }) => layers),
    ...engine.containers.list().flatMap(({ config }) => config.layers as readonly Digest[]),
  ]);
  const sum = (layers: Iterable<Digest>): number => [...layers].reduce((bytes, layer) => bytes + sizeOf(layer), 0);
  const documents = (image: ImageRecord): number => Math.max(0, image.sizeBytes - sum(image.layers));
  const imageBytes = sum(holders.keys()) + images.reduce((bytes, image) => bytes + documents(image), 0);
  const keptBytes = sum(kept) + images.filter(isUsed).reduce((bytes, image) => bytes + documents(image), 0);
  return {
    images: images.map((image): ImageUsage => {
      const sharedBytes = sum([...new Set(image.layers)].filter((layer) => holders.get(layer)! > 1));
      return {
        id: image.id,
        names: image.names,
        createdAt: image.config.created ?? NEVER,
        sizeBytes: image.sizeBytes,
        sharedBytes,
        uniqueBytes: Math.max(0, image.sizeBytes - sharedBytes),
        containers: users.get(image.id) ?? 0,
      };
    }),
    imageBytes,
    imageReclaimableBytes: Math.max(0, imageBytes - keptBytes),
  };
}

async function containerUsage(engine: Engine): Promise<readonly ContainerUsage[]> {
  const usages: ContainerUsage[] = [];
  for (const record of engine.containers.list()) {
    const { config } = record;
    usages.push({
      id: record.id,
      imageId: config.imageId ?? '',
      command: config.command,
      volumes: config.mounts.length,
      sizeBytes: (await containerSize(engine, record)).readWriteBytes,
      createdAt: config.createdAt,
      status: shownStatus(record.status),
      name: record.name,
    });
  }
  return usages;
}

function volumeUsage(engine: Engine): readonly VolumeUsage[] {
  return engine.volumes.list().map(({ name }) => ({
    name,
    links: engine.volumes.users(name).length,
    sizeBytes: diskUsage(volumeData(engine, name)).sizeBytes,
  }));
}
