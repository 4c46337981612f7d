import { lstatSync } from 'node:fs';
import type { Digest } from '../../core/digest.ts';
import { diskUsage } from '../../storage/tree/usage.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { placesOf } from './places.ts';

export interface ContainerSize {
  /** What the container has written. */
  readonly readWriteBytes: number;
  /** That and its image. */
  readonly rootFsBytes: number;
}

/** Walks what the container has written; works whether it is mounted or not. A root file system of the caller's own counts as nothing. */
export async function containerSize(engine: Engine, record: ContainerRecord): Promise<ContainerSize> {
  const readWriteBytes = await writtenBytes(engine, record);
  const imageBytes = record.config.imageId === undefined ? 0 : (engine.images.byId(record.config.imageId)?.sizeBytes ?? 0);
  return { readWriteBytes, rootFsBytes: imageBytes + readWriteBytes };
}

async function writtenBytes(engine: Engine, { id, config }: ContainerRecord): Promise<number> {
  const { upper, merged } = placesOf(engine, id);
  if (config.rootfs && !config.rootfs.overlay) return 0;
  if (config.rootfs) return diskUsage(upper).sizeBytes;
  const driver = await engine.driver();
  if (driver.name === 'overlay') return diskUsage(upper).sizeBytes;
  // The writable tree holds the image as well: only what differs was written.
  const lowers = (await engine.layers()).lowerDirs(config.layers as readonly Digest[]);
  let bytes = 0;
  for await (const { kind, path } of driver.changes({ lowers, upper, merged })) {
    const stat = kind === 'D' ? undefined : lstatSync(Buffer.concat([Buffer.from(upper), path]), { throwIfNoEntry: false });
    if (stat && (stat.isFile() || stat.isSymbolicLink())) bytes += stat.size;
  }
  return bytes;
}
