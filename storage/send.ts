/**
 * From the store to a destination, the twin of copy.ts: layers are given back as the tars they came as, compressed where the place wants it, and sent
 * side by side; then the config, then the manifest that fits. Memory: a few chunks per layer under way.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { Readable } from 'node:stream';
import { mapConcurrent } from '../core/concurrent.ts';
import { digestFromHex, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { compressionOf, formatManifest, formatOf, layerType } from './convert.ts';
import type { Descriptor, ImageManifest } from './image.ts';
import { MEDIA } from './manifest.ts';
import type { OnCopyEvent } from './progress.ts';
import { blobOf } from './transport/blob-hash.ts';
import { compress, type CompressionChoice, type LayerCompression } from './transport/compress.ts';
import type { ImageDestination, ManifestFormat } from './transport/destination.ts';
import type { ManifestDocument } from './transport/source.ts';
import { digestOf } from './verify.ts';

/** An image of the store as a copy needs it. */
export interface OutgoingImage {
  readonly manifest: ImageManifest;
  readonly manifestBytes: Uint8Array;
  readonly config: Uint8Array;
  /** Lowest first; the same diff-id may be there twice. */
  readonly layers: readonly OutgoingLayer[];
  /** The layer's tar, byte for byte. */
  readonly tar: (diffId: Digest) => Promise<Readable>;
}

export interface OutgoingLayer {
  readonly diffId: Digest;
  readonly tarBytes: number;
  /** How it is known to be stored elsewhere, the likeliest first: where the destination has one of these, nothing is sent. */
  readonly known: readonly KnownBlob[];
}

export interface KnownBlob {
  readonly digest: Digest;
  readonly size: number;
  readonly compression: LayerCompression;
  readonly repositories: readonly string[];
}

export interface SendOptions {
  /** Absent: that of the image, or what the destination must have. */
  readonly format?: ManifestFormat | undefined;
  /** Absent: what the destination is used to. */
  readonly compression?: CompressionChoice | undefined;
  /** Only what is compressed so will do; else another compression that is there already is as good. */
  readonly forceCompression?: boolean;
  /** As soon as a layer is at the destination. */
  readonly onLayer?: (layer: SentLayer) => void;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SentImage {
  readonly manifest: ManifestDocument;
  /** In the order of the image. */
  readonly layers: readonly SentLayer[];
}

export interface SentLayer {
  readonly diffId: Digest;
  readonly digest: Digest;
  readonly size: number;
  readonly compression: LayerCompression;
}

/**
 * Copy one image. `finish` is the caller's: an archive may take several images.
 * Throws STORE_CORRUPT (a layer was altered), NOT_SUPPORTED (format and compression do not go together), ABORTED, and what the destination throws.
 */
export async function sendImage(image: OutgoingImage, destination: ImageDestination, options: SendOptions = {}): Promise<SentImage> {
  const { onEvent, signal } = options;
  const choice = options.compression ?? { compression: destination.traits.layers === 'plain' ? 'none' : 'gzip' };
  const format = chooseFormat(image, destination, options, choice);
  const sent = await sendLayers(image, destination, { ...options, format, choice });
  onEvent?.({ kind: 'config', digest: image.manifest.config.digest });
  const { digest } = image.manifest.config;
  if ((await destination.hasBlob(digest, {}, signal)) === undefined) await destination.putBlob(blobOf(image.config, digest), signal);

  onEvent?.({ kind: 'manifest' });
  const bytes = formatManifest(
    { manifest: image.manifest, bytes: image.manifestBytes },
    { format, layers: sent.map((layer, index) => describe(layer, format, image.manifest.layers[index]!)) },
  );
  const manifest = { bytes, mediaType: format === 'oci' ? MEDIA.ociManifest : MEDIA.dockerManifest, digest: digestOf(bytes) };
  await destination.putManifest(manifest, 'name', signal);
  return { manifest, layers: sent };
}

function chooseFormat(
  { manifest }: OutgoingImage,
  { traits, label }: ImageDestination,
  options: SendOptions,
  { compression }: CompressionChoice,
): ManifestFormat {
  if (options.format !== undefined && traits.format !== undefined && options.format !== traits.format) {
    throw new EngineError('INVALID_ARGUMENT', `${label} cannot hold a manifest of the format ${options.format}`);
  }
  const wanted = options.format ?? traits.format;
  if (compression !== 'zstd') return wanted ?? formatOf(manifest.mediaType);
  // Docker's formats never got zstd: unasked, the image becomes an OCI one.
  if (wanted === 'v2s2') {
    throw new EngineError('NOT_SUPPORTED', 'compression using zstd is not supported by the v2s2 manifest format', {
      hint: 'Use --format oci.',
    });
  }
  return 'oci';
}

interface LayerOptions extends SendOptions {
  readonly format: ManifestFormat;
  readonly choice: CompressionChoice;
}

async function sendLayers(image: OutgoingImage, destination: ImageDestination, options: LayerOptions): Promise<readonly SentLayer[]> {
  const distinct = new Map(image.layers.map((layer) => [layer.diffId, layer]));
  const limit = destination.traits.sideBySide ? availableParallelism() + 1 : 1;
  const sent = await mapConcurrent(distinct.values(), { limit, signal: options.signal }, async (layer, signal) => {
    const one = await sendLayer(image, layer, destination, { ...options, signal });
    options.onLayer?.(one);
    return one;
  });
  const byDiffId = new Map(sent.map((layer) => [layer.diffId, layer]));
  return image.layers.map(({ diffId }) => byDiffId.get(diffId)!);
}

async function sendLayer(
  { tar }: OutgoingImage,
  layer: OutgoingLayer,
  destination: ImageDestination,
  { choice, format, forceCompression = false, onEvent, signal }: LayerOptions,
): Promise<SentLayer> {
  const { diffId, tarBytes } = layer;
  for (const known of candidates(layer, choice, format, forceCompression)) {
    const size = await destination.hasBlob(known.digest, { repositories: known.repositories }, signal);
    if (size !== known.size) continue;
    onEvent?.({ kind: 'blob', digest: diffId, total: tarBytes, present: true });
    return { diffId, digest: known.digest, size, compression: known.compression };
  }
  onEvent?.({ kind: 'blob', digest: diffId, total: tarBytes, present: false });
  const onProgress = (done: number): void => onEvent?.({ kind: 'layer', digest: diffId, total: tarBytes, done });
  const plain = choice.compression === 'none';
  const written = await destination.putBlob(
    {
      open: async () =>
        compress(
          plain ? metered(await tar(diffId), onProgress, signal) : checked(metered(await tar(diffId), onProgress, signal), diffId),
          choice,
          { ownsChunks: true },
        ),
      // The destination holds it against these.
      ...(plain ? { digest: diffId, size: tarBytes } : {}),
    },
    signal,
  );
  return { diffId, ...written, compression: choice.compression };
}

/** In what the destination may have the layer already. A place of plain layers only ever has the tar itself. */
function candidates(
  { diffId, tarBytes, known }: OutgoingLayer,
  { compression }: CompressionChoice,
  format: ManifestFormat,
  force: boolean,
): readonly KnownBlob[] {
  const plain: KnownBlob = { digest: diffId, size: tarBytes, compression: 'none', repositories: [] };
  if (compression === 'none') return [plain];
  const usable = known.filter((blob) => !(format === 'v2s2' && blob.compression === 'zstd'));
  return force ? usable.filter((blob) => blob.compression === compression) : [...usable, plain];
}

/** A config that names a diff-id must not go out with another layer: what the tree gives is held against it. */
function checked(tar: Readable, diffId: Digest): Readable {
  return Readable.from(
    (async function* () {
      const hash = createHash('sha256');
      for await (const chunk of tar as AsyncIterable<Buffer>) {
        hash.update(chunk);
        yield chunk;
      }
      const actual = digestFromHex(hash.digest('hex'));
      if (actual !== diffId) {
        throw new EngineError('STORE_CORRUPT', `layer ${diffId} is ${actual}: it was altered in the store`, {
          hint: 'Remove the images that use the layer and pull them again.',
        });
      }
    })(),
    { objectMode: false, highWaterMark: 2 ** 20 },
  );
}

function metered(tar: Readable, onProgress: (doneBytes: number) => void, signal: AbortSignal | undefined): Readable {
  return Readable.from(
    (async function* () {
      let done = 0;
      for await (const chunk of tar as AsyncIterable<Buffer>) {
        if (signal?.aborted) throw new EngineError('ABORTED', 'the copy was cancelled', { cause: signal.reason });
        onProgress((done += chunk.length));
        yield chunk;
      }
    })(),
    { objectMode: false, highWaterMark: 2 ** 20 },
  );
}

function describe({ digest, size, compression }: SentLayer, format: ManifestFormat, before: Descriptor): Descriptor {
  const unchanged = before.digest === digest && compressionOf(before.mediaType) === compression;
  return {
    mediaType: layerType(format, compression),
    digest,
    size,
    // What was said of other bytes (eStargz, zstd:chunked) is not true of these.
    ...(unchanged && before.annotations !== undefined ? { annotations: before.annotations } : {}),
  };
}
