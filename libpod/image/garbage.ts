/**
 * Layers, manifests and configs that lost their last reference.
 *
 * Whoever removes an image notes its parts in the `garbage` table, in the same transaction. `collectGarbage` then takes the parts one by one:
 * with the layer locked, one transaction looks whether a row names it again and, if none does, renames the layer away (the only slow part, deleting
 * the tree, comes after and is finished by the next one if it is cut short). A copy that runs beside it sees the layer gone when it writes its
 * row, and fetches it again (store.ts). So no lock is held over a pull, and a process killed anywhere leaves a note or nothing.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { digestFromHex, isDigest, type Digest } from '../../core/digest.ts';
import type { ImageId } from '../../core/id.ts';
import { tryLockFile } from '../../host/flock.ts';
import type { Engine } from '../engine.ts';
import type { ImageRecord } from '../state/images.ts';
import { BuildStepTable } from '../state/build-steps.ts';
import { LayerBlobTable } from '../state/layer-blobs.ts';
import { imageBlobs } from './blobs.ts';

type Kind = 'layer' | 'blob';

/** The parts of an image or list, to be looked at when its row is gone. Part of the caller's transaction, before the row goes. */
export function noteGarbage(engine: Engine, image: Pick<ImageRecord, 'id' | 'layers' | 'manifestDigest'>): void {
  noteParts(engine, { layers: image.layers, blobs: [image.manifestDigest, digestOfId(image.id)] });
  for (const instance of engine.lists.instances(image.id)) noteParts(engine, instance);
}

/** Parts of whatever else keeps some: an instance of a list, an artifact. Part of the caller's transaction. */
export function noteParts(engine: Engine, parts: { readonly layers?: readonly Digest[]; readonly blobs: readonly Digest[] }): void {
  for (const layer of parts.layers ?? []) note(engine, 'layer', layer);
  for (const blob of parts.blobs) note(engine, 'blob', blob);
}

/** A row names these again. Part of the caller's transaction. */
export function forgetGarbage(engine: Engine, digests: readonly Digest[]): void {
  if (engine.db.get('SELECT 1 FROM garbage LIMIT 1') === undefined) return;
  for (const digest of digests) engine.db.run('DELETE FROM garbage WHERE digest = ?', digest);
}

/** Remove what was noted and is named by no row. One query when there is nothing to do. */
export async function collectGarbage(engine: Engine): Promise<void> {
  const noted = engine.db.all('SELECT kind, digest FROM garbage');
  for (const { kind, digest } of noted) {
    if (kind === 'layer') await collectLayer(engine, digest as Digest);
    else collectBlob(engine, digest as Digest);
  }
}

/**
 * Note layers and documents that are in the store and were never named: a killed copy leaves such. Nothing is noted while a copy is under way,
 * which is about to name some. `collectGarbage` does the rest.
 */
export async function sweep(engine: Engine): Promise<void> {
  if (!existsSync(engine.paths.store)) return;
  using lock = tryLockFile(incomingLock(engine));
  if (lock === undefined) return;
  const layers = await engine.layers();
  layers.heal();
  engine.db.transaction(() => {
    for (const layer of layers.list()) if (!isLayerNamed(engine, layer)) note(engine, 'layer', layer);
    for (const blob of blobsIn(engine)) if (!isBlobNamed(engine, blob)) note(engine, 'blob', blob);
  });
}

/** Layers to be looked at by the next `collectGarbage`. */
export function noteLayers(engine: Engine, layers: readonly Digest[]): void {
  engine.db.transaction(() => {
    for (const layer of layers) note(engine, 'layer', layer);
  });
}

/** Held shared by every copy into the store. */
export function incomingLock(engine: Engine): string {
  return join(engine.paths.store, 'incoming.lock');
}

/** The digest of an image's config document. */
export function digestOfId(id: ImageId): Digest {
  return digestFromHex(id);
}

async function collectLayer(engine: Engine, layer: Digest): Promise<void> {
  const layers = await engine.layers();
  const decide = (take?: () => void): void =>
    engine.db.transaction(() => {
      if (!isLayerNamed(engine, layer)) {
        take?.();
        new LayerBlobTable(engine.db).forget(layer);
        new BuildStepTable(engine.db).forget(layer);
      }
      drop(engine, 'layer', layer);
    });
  if (layers.has(layer) && !isLayerNamed(engine, layer)) await layers.remove(layer, decide);
  else decide();
}

function collectBlob(engine: Engine, blob: Digest): void {
  engine.db.transaction(() => {
    if (!isBlobNamed(engine, blob)) rmSync(imageBlobs(engine).path(blob), { force: true });
    drop(engine, 'blob', blob);
  });
}

/** A container keeps the layers it was made from, and a list those of what it lists, whatever became of the image. */
function isLayerNamed({ db }: Engine, layer: Digest): boolean {
  return (
    db.get('SELECT 1 FROM list_instances, json_each(list_instances.layers) AS layer WHERE layer.value = ? LIMIT 1', layer) !== undefined ||
    db.get('SELECT 1 FROM images, json_each(images.layers) AS layer WHERE layer.value = ? LIMIT 1', layer) !== undefined ||
    db.get(`SELECT 1 FROM containers, json_each(containers.config, '$.layers') AS layer WHERE layer.value = ? LIMIT 1`, layer) !== undefined
  );
}

function isBlobNamed({ db }: Engine, blob: Digest): boolean {
  return (
    db.get('SELECT 1 FROM images WHERE id = ? OR manifest_digest = ? LIMIT 1', blob.slice('sha256:'.length), blob) !== undefined ||
    db.get('SELECT 1 FROM list_instances, json_each(list_instances.blobs) AS blob WHERE blob.value = ? LIMIT 1', blob) !== undefined ||
    db.get('SELECT 1 FROM artifacts, json_each(artifacts.blobs) AS blob WHERE blob.value = ? LIMIT 1', blob) !== undefined
  );
}

function note({ db }: Engine, kind: Kind, digest: Digest): void {
  db.run('INSERT OR IGNORE INTO garbage (kind, digest) VALUES (?, ?)', kind, digest);
}

function drop({ db }: Engine, kind: Kind, digest: Digest): void {
  db.run('DELETE FROM garbage WHERE kind = ? AND digest = ?', kind, digest);
}

function blobsIn(engine: Engine): Digest[] {
  try {
    return readdirSync(join(engine.paths.store, 'blobs/sha256'))
      .map((name) => `sha256:${name}`)
      .filter(isDigest);
  } catch {
    return [];
  }
}
