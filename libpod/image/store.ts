/** Images coming into the store: the bytes go to the storage room, the row makes them visible. */
import { mkdirSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { lockFile } from '../../host/flock.ts';
import { storeImage, type StoredImage, type StoreImageOptions } from '../../storage/copy.ts';
import type { Platform } from '../../storage/image.ts';
import type { LayerStore } from '../../storage/layer/store.ts';
import { loadPolicy } from '../../storage/policy.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import type { ImageSource } from '../../storage/transport/source.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from './blobs.ts';
import { collectGarbage, digestOfId, forgetGarbage, incomingLock, noteGarbage } from './garbage.ts';

export interface StoreOptions {
  /** Absent: the names that the source gives. */
  readonly names?: readonly string[];
  /** What the event log calls it: pull, load, import. */
  readonly event: string;
  readonly platform?: Platform | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signaturePolicy?: string | undefined;
}

/** Each time somebody else must have removed a layer between its arrival and the row. */
const ATTEMPTS = 5;

/** Copy the image and give it its names; all or nothing as far as anybody can see. Throws what storeImage throws. */
export function keepImage(engine: Engine, source: ImageSource, options: StoreOptions): Promise<StoredImage> {
  return keepCopy(engine, options, (request) => storeImage(source, request));
}

/**
 * keepImage for a caller that has its own way of copying (a pull that tries several places).
 *
 * A removal may run beside it. Both decide in a transaction: this one writes the row only if every layer and document is there, that one takes
 * a layer away only if no row names it (garbage.ts). Whoever comes second sees what the first did; a copy that lost a layer is done again,
 * which fetches only what is missing.
 */
export async function keepCopy(
  engine: Engine,
  options: StoreOptions,
  copy: (request: StoreImageOptions) => Promise<StoredImage>,
): Promise<StoredImage> {
  const layers = await engine.layers();
  const request = await copyRequest(engine, options);
  mkdirSync(engine.paths.store, { recursive: true, mode: 0o700 });
  // Shared with other copies; a sweep for layers that no row ever named waits until nobody is about to name some.
  using _incoming = await lockFile(incomingLock(engine), { mode: 'shared' });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const stored = await copy(request);
    const damaged = await layers.settle();
    if (damaged.length > 0) log.warn(`layers were damaged by a power cut and removed: ${damaged.join(', ')}`);
    if (!record(engine, layers, stored, options)) continue;
    await collectGarbage(engine);
    return stored;
  }
  throw new EngineError('LOCKED', 'layers of the image were removed as fast as they came', {
    hint: 'Another process removes images. Try again.',
  });
}

/** Where a copy goes, and what it is told. */
export async function copyRequest(
  engine: Engine,
  { platform, signal, onEvent, signaturePolicy }: Omit<StoreOptions, 'names' | 'event'>,
): Promise<StoreImageOptions> {
  return {
    layers: await engine.layers(),
    blobs: imageBlobs(engine),
    policy: await loadPolicy({ config: engine.paths.config, file: signaturePolicy }),
    ...(platform === undefined ? {} : { platform }),
    signal,
    onEvent,
  };
}

/** One transaction; false and nothing written when a part of the image is no longer there. */
function record(engine: Engine, layers: LayerStore, stored: StoredImage, options: StoreOptions): boolean {
  const names = options.names ?? stored.names;
  return engine.db.transaction(() => {
    const documents = [stored.manifestDigest, digestOfId(stored.imageId)];
    if (!stored.layers.every((layer) => layers.has(layer)) || !documents.every((digest) => imageBlobs(engine).hasNow(digest))) return false;
    noteReplaced(engine, stored);
    engine.images.upsert({
      id: stored.imageId,
      manifestDigest: stored.manifestDigest,
      manifestType: stored.mediaType,
      indexDigest: stored.indexDigest,
      config: stored.config,
      layers: stored.layers,
      createdMs: Date.parse(stored.config.created ?? '') || 0,
      sizeBytes: stored.sizeBytes,
      storedMs: Date.now(),
    });
    forgetGarbage(engine, [...documents, ...stored.layers]);
    for (const name of names) engine.images.name(name, stored.imageId);
    engine.events.add({ type: 'image', status: options.event, id: stored.imageId, name: names[0] ?? stored.imageId });
    return true;
  });
}

/** The same image may come with another manifest (layers compressed otherwise): the one before it is of no use any more. */
function noteReplaced(engine: Engine, { imageId, manifestDigest }: StoredImage): void {
  const before = engine.images.byId(imageId);
  if (before && before.manifestDigest !== manifestDigest) noteGarbage(engine, { ...before, layers: [] });
}
