/** Manifests with what they list, sent on from where they lie: what is in another registry, and artifacts, whose files are no layers. */
import { Readable } from 'node:stream';
import { mapConcurrent } from '../core/concurrent.ts';
import type { Digest } from '../core/digest.ts';
import { compressionOf, formatManifest, formatOf, layerType } from './convert.ts';
import type { Descriptor, ImageManifest } from './image.ts';
import { isImageManifest, MEDIA } from './manifest.ts';
import { explainDamage } from './layer/decompress.ts';
import type { OnCopyEvent } from './progress.ts';
import { compress, type CompressionChoice, type LayerCompression } from './transport/compress.ts';
import { decompress } from './transport/compression.ts';
import type { ImageDestination, ManifestFormat } from './transport/destination.ts';
import type { ManifestDocument } from './transport/source.ts';
import { digestOf } from './verify.ts';

export interface RelayedManifest {
  readonly manifest: ImageManifest;
  readonly bytes: Uint8Array;
  readonly digest: Digest;
  readonly open: (descriptor: Descriptor) => Promise<Readable>;
  /** Where the blobs lie, so that a registry may take them from there. */
  readonly repositories?: readonly string[];
}

export interface RelayOptions {
  /** Of an image; absent: its own. An artifact keeps its own. */
  readonly format?: ManifestFormat | undefined;
  /** Of an image's layers; absent: each its own. Zstd makes an OCI manifest of one in Docker's format. */
  readonly compression?: CompressionChoice | undefined;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

const AT_ONCE = 3;

/** Blobs, then the manifest; `finish` is the caller's. The destination hashes what it gets. Throws what source and destination throw, ABORTED. */
export async function relay(source: RelayedManifest, destination: ImageDestination, options: RelayOptions = {}): Promise<ManifestDocument> {
  const { manifest, repositories = [] } = source;
  const { onEvent, signal } = options;
  const put = async (descriptor: Descriptor, isConfig: boolean, each: AbortSignal | undefined): Promise<void> => {
    const { digest, size } = descriptor;
    const present = (await destination.hasBlob(digest, { repositories }, each)) === size;
    onEvent?.(isConfig ? { kind: 'config', digest } : { kind: 'blob', digest, total: size, present });
    if (!present) await destination.putBlob({ open: () => source.open(descriptor), digest, size, isConfig }, each);
    if (!isConfig && !present) onEvent?.({ kind: 'layer', digest, total: size, done: size });
  };
  const putLayer = async (layer: Descriptor, each: AbortSignal | undefined): Promise<Descriptor> => {
    const before = isImageManifest(manifest) ? compressionOf(layer.mediaType) : undefined;
    const choice = options.compression;
    if (choice === undefined || before === undefined || before === choice.compression) {
      await put(layer, false, each);
      return layer;
    }
    const { digest, size } = layer;
    onEvent?.({ kind: 'blob', digest, total: size, present: false });
    const open = async () => compress(await plain(await source.open(layer), before, each), choice);
    const written = await destination.putBlob({ open }, each);
    onEvent?.({ kind: 'layer', digest, total: size, done: size });
    return { ...written, mediaType: layerType(formatOf(manifest.mediaType), choice.compression) };
  };
  const distinct = new Map(manifest.layers.map((layer) => [layer.digest, layer]));
  const limit = destination.traits.sideBySide ? AT_ONCE : 1;
  const there = await mapConcurrent(distinct.values(), { limit, signal }, async (layer, each) => {
    return [layer.digest, await putLayer(layer, each)] as const;
  });
  await put(manifest.config, true, signal);
  onEvent?.({ kind: 'manifest' });
  const byDigest = new Map(there);
  const layers = manifest.layers.map(({ digest }) => byDigest.get(digest)!);
  const document = converted(source, layers, options);
  await destination.putManifest(document, 'name', signal);
  return document;
}

/** The tar in a layer; what is wrong with it is told as damage of the image. */
async function plain(layer: Readable, compression: LayerCompression, signal: AbortSignal | undefined): Promise<Readable> {
  const content = await decompress(layer, compression === 'none' ? undefined : compression);
  return Readable.from(
    (async function* () {
      try {
        yield* content as AsyncIterable<Buffer>;
      } catch (error) {
        throw explainDamage(error, signal);
      }
    })(),
    { objectMode: false, highWaterMark: 2 ** 20 },
  );
}

function converted(
  { manifest, bytes, digest }: RelayedManifest,
  layers: readonly Descriptor[],
  { format: wanted, compression }: RelayOptions,
): ManifestDocument {
  const own = formatOf(manifest.mediaType);
  const format = wanted ?? (compression?.compression === 'zstd' ? 'oci' : own);
  if (!isImageManifest(manifest) || (format === own && compression === undefined)) {
    return { bytes, mediaType: manifest.mediaType, digest };
  }
  const fitting = layers.map((layer) => {
    const its = compressionOf(layer.mediaType);
    return its === undefined ? layer : { ...layer, mediaType: layerType(format, its) };
  });
  const changed = formatManifest({ manifest, bytes }, { format, layers: fitting });
  return { bytes: changed, mediaType: format === 'oci' ? MEDIA.ociManifest : MEDIA.dockerManifest, digest: digestOf(changed) };
}
