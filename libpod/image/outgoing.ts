/** Images going out of the store: what storage/send.ts has to know of them. */
import type { Digest } from '../../core/digest.ts';
import { compressionOf } from '../../storage/convert.ts';
import type { ImageManifest } from '../../storage/image.ts';
import { parseManifest } from '../../storage/manifest.ts';
import { parseReference, repositoryOf } from '../../storage/reference.ts';
import type { LayerStore } from '../../storage/layer/store.ts';
import type { KnownBlob, OutgoingImage, OutgoingLayer, SentLayer } from '../../storage/send.ts';
import type { Engine } from '../engine.ts';
import type { ImageRecord } from '../state/images.ts';
import { LayerBlobTable } from '../state/layer-blobs.ts';
import { imageBlobs } from './blobs.ts';
import { digestOfId } from './garbage.ts';

/** Throws STORE_CORRUPT, IMAGE_CORRUPT where a part of the image is missing or damaged. */
export async function outgoingImage(engine: Engine, image: ImageRecord): Promise<OutgoingImage> {
  const [blobs, layers] = [imageBlobs(engine), await engine.layers()];
  const manifestBytes = await blobs.read(image.manifestDigest);
  const manifest = parseManifest(manifestBytes, image.manifestType, `manifest of image ${image.id}`);
  return {
    manifest,
    manifestBytes,
    config: await blobs.read(digestOfId(image.id)),
    layers: outgoingLayers(engine, layers, image.layers, pulledBlobs(engine, image, manifest)),
    tar: (diffId) => layers.tar(diffId),
  };
}

/** `pulled`: what they came as. */
export function outgoingLayers(
  engine: Engine,
  store: LayerStore,
  diffIds: readonly Digest[],
  pulled: ReadonlyMap<Digest, readonly KnownBlob[]>,
): readonly OutgoingLayer[] {
  const pushed = new LayerBlobTable(engine.db);
  return diffIds.map((diffId) => ({
    diffId,
    tarBytes: store.sizeBytes(diffId),
    known: merged([...(pulled.get(diffId) ?? []), ...pushed.of(diffId)]),
  }));
}

/** Where the layers of an image lie now, so that a later push need not send them. */
export function rememberLayers(engine: Engine, layers: readonly SentLayer[], repository: string): void {
  const table = new LayerBlobTable(engine.db);
  engine.db.transaction(() => {
    for (const layer of layers) if (layer.compression !== 'none') table.add(layer, repository);
  });
}

/** The blobs that layers came as, where the manifest is one that somebody pushed: an archive's names the tar itself, however it calls it. */
export function pulledBlobs(engine: Engine, image: ImageRecord, manifest: ImageManifest): ReadonlyMap<Digest, readonly KnownBlob[]> {
  const repositories = repositoriesOf(engine, image);
  const blobs = new Map<Digest, KnownBlob[]>();
  for (const [index, diffId] of image.layers.entries()) {
    const { digest, size, mediaType } = manifest.layers[index]!;
    const compression = compressionOf(mediaType);
    if (digest === diffId || compression === undefined) continue;
    blobs.set(diffId, [...(blobs.get(diffId) ?? []), { digest, size, compression, repositories }]);
  }
  return blobs;
}

function repositoriesOf(engine: Engine, image: ImageRecord): readonly string[] {
  return [...new Set(engine.images.pastNames(image.id).map((name) => repositoryOf(parseReference(name))))];
}

function merged(blobs: readonly KnownBlob[]): readonly KnownBlob[] {
  const byDigest = new Map<Digest, KnownBlob>();
  for (const blob of blobs) {
    const before = byDigest.get(blob.digest);
    byDigest.set(blob.digest, before ? { ...before, repositories: [...before.repositories, ...blob.repositories] } : blob);
  }
  return [...byDigest.values()];
}
