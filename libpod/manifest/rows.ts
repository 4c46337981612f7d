/**
 * Lists as rows and blobs. The index is written as a blob first; one transaction makes it that of the list. Two changes at once are both
 * made: the one that finds another index than it began with begins again.
 */
import { EngineError } from '../../core/errors.ts';
import type { Digest } from '../../core/digest.ts';
import { asId, type ImageId } from '../../core/id.ts';
import { lockFile } from '../../host/flock.ts';
import { randomHex } from '../../host/random.ts';
import { formatIndex } from '../../storage/list/format.ts';
import type { LayerStore } from '../../storage/layer/store.ts';
import type { ImageIndex } from '../../storage/manifest.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { collectGarbage, forgetGarbage, incomingLock, noteParts } from '../image/garbage.ts';
import type { ImageRecord } from '../state/images.ts';
import type { ListInstance } from '../state/lists.ts';
import { readIndex } from './find.ts';

const ATTEMPTS = 10;

/** What a list becomes. */
export interface ListState {
  readonly index: ImageIndex;
  /** Instances that come, or are known otherwise now. Those that the index no longer names go. */
  readonly instances?: readonly ListInstance[];
}

/** Throws NAME_IN_USE. */
export async function insertList(engine: Engine, name: string, { index, instances = [] }: ListState): Promise<ImageId> {
  const id = asId<ImageId>(randomHex(32));
  using _incoming = await lockFile(incomingLock(engine), { mode: 'shared' });
  const [bytes, layers] = [formatIndex(index), await engine.layers()];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const digest = await imageBlobs(engine).put(bytes);
    const done = engine.db.transaction(() => {
      refuseTaken(engine, name);
      if (!partsAreHere(engine, layers, [digest], instances)) return false;
      const now = new Date();
      engine.images.upsert({
        id,
        manifestDigest: digest,
        manifestType: index.mediaType,
        indexDigest: undefined,
        config: { created: now.toISOString(), architecture: '', os: '', rootfs: { type: 'layers', diff_ids: [] } },
        layers: [],
        createdMs: now.getTime(),
        sizeBytes: bytes.length,
        storedMs: now.getTime(),
      });
      putInstances(engine, id, instances);
      forgetGarbage(engine, [digest, ...instances.flatMap((instance) => [...instance.blobs, ...instance.layers])]);
      engine.images.name(name, id);
      return true;
    });
    if (done) return id;
  }
  throw busy(name);
}

/** `change` may be called more than once, each time with the list as it is then. Throws NO_SUCH_IMAGE and what `change` throws. */
export async function updateList(engine: Engine, list: ImageRecord, change: (index: ImageIndex) => ListState): Promise<void> {
  using _incoming = await lockFile(incomingLock(engine), { mode: 'shared' });
  const layers = await engine.layers();
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const before = engine.images.byId(list.id);
    if (!before) throw new EngineError('NO_SUCH_IMAGE', `${list.names[0] ?? list.id}: image not known`);
    const { index, instances = [] } = change(await readIndex(engine, before));
    const bytes = formatIndex(index);
    const digest = await imageBlobs(engine).put(bytes);
    const done = engine.db.transaction(() => {
      if (engine.images.byId(list.id)?.manifestDigest !== before.manifestDigest || !partsAreHere(engine, layers, [digest], instances))
        return false;
      engine.images.reindex(list.id, { manifestDigest: digest, manifestType: index.mediaType, sizeBytes: bytes.length });
      const listed = new Set(index.manifests.map((entry) => entry.digest));
      for (const instance of engine.lists.instances(list.id)) {
        if (listed.has(instance.digest) && !instances.some((other) => other.digest === instance.digest)) continue;
        noteParts(engine, instance);
        engine.lists.remove(list.id, instance.digest);
      }
      putInstances(engine, list.id, instances);
      if (digest !== before.manifestDigest) noteParts(engine, { blobs: [before.manifestDigest] });
      forgetGarbage(engine, [digest, ...instances.flatMap((instance) => [...instance.blobs, ...instance.layers])]);
      return true;
    });
    if (!done) continue;
    await collectGarbage(engine);
    return;
  }
  throw busy(list.names[0] ?? list.id);
}

/** Throws NAME_IN_USE. */
export function refuseTaken(engine: Engine, name: string): void {
  const other = engine.images.byName(name);
  if (!other) return;
  throw new EngineError(
    'NAME_IN_USE',
    `image name ${JSON.stringify(name)} is already associated with image ${JSON.stringify(other.id)}: that name is already in use, or use --replace to instruct lichen to do so.`,
    { hint: 'Choose another name, or use --amend to change the list.' },
  );
}

function putInstances(engine: Engine, id: ImageId, instances: readonly ListInstance[]): void {
  for (const instance of instances) engine.lists.put(id, instance);
}

/** Somebody may have removed an image between our look at it and this transaction. */
function partsAreHere(engine: Engine, layers: LayerStore, documents: readonly Digest[], instances: readonly ListInstance[]): boolean {
  const blobs = imageBlobs(engine);
  return (
    [...documents, ...instances.flatMap((instance) => instance.blobs)].every((digest) => blobs.hasNow(digest)) &&
    instances.every((instance) => instance.layers.every((layer) => layers.has(layer)))
  );
}

function busy(name: string): EngineError {
  return new EngineError('LOCKED', `manifest list ${name} is changed by others as fast as it can be read, or what it lists was removed`, {
    hint: 'Try again.',
  });
}
