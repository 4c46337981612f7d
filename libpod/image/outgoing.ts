/** Images going out of the store: what storage/send.ts has to know of them. */
import type { Digest } from '../../core/digest.ts';
import { compressionOf } from '../../storage/convert.ts';
import type { ImageManifest } from '../../storage/image.ts';
import { parseManifest } from '../../storage/manifest.ts';
import { parseReference, repositoryOf } from '../../storage/reference.ts';
import type { KnownBlob, OutgoingImage, SentLayer } from '../../storage/send.ts';
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
  const pushed = new LayerBlobTable(engine.db);
  const repositories = repositoriesOf(engine, image);
  return {
    manifest,
    manifestBytes,
    config: await blobs.read(digestOfId(image.id)),
    layers: image.layers.map((diffId, index) => ({
      diffId,
      tarBytes: layers.sizeBytes(diffId),
      known: merged([...pulledBlob(manifest, index, diffId, repositories), ...pushed.of(diffId)]),
    })),
    tar: (diffId) => layers.tar(diffId),
  };
}

/** Where the layers of an image lie now, so that a later push need not send them. */
export function rememberLayers(engine: Engine, layers: readonly SentLayer[], repository: string): void {
  const table = new LayerBlobTable(engine.db);
  engine.db.transaction(() => {
    for (const layer of layers) if (layer.compression !== 'none') table.add(layer, repository);
  });
}

/** The blob that the layer came as, where the manifest is one that somebody pushed: an archive's names the tar itself, however it calls it. */
function pulledBlob(manifest: ImageManifest, index: number, diffId: Digest, repositories: readonly string[]): readonly KnownBlob[] {
  const { digest, size, mediaType } = manifest.layers[index]!;
  const compression = compressionOf(mediaType);
  return digest === diffId || compression === undefined ? [] : [{ digest, size, compression, repositories }];
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
