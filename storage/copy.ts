/**
 * From a source into the store: manifest, config, then all layers side by side.
 * Nothing is visible until all of it is here: layers and blobs are content that nobody refers to until the caller writes the image's row.
 */
import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import { mapConcurrent } from '../core/concurrent.ts';
import { digestHex, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import { asId, type ImageId } from '../core/id.ts';
import { log } from '../core/log.ts';
import type { Blobs } from './blobs.ts';
import type { Descriptor, ImageConfig, Platform } from './image.ts';
import { DOCUMENT_LIMIT_BYTES, parseConfig, parseManifest } from './manifest.ts';
import { formatPlatform, suits } from './platform.ts';
import { enforcePolicy, type Policy } from './policy.ts';
import type { OnCopyEvent } from './progress.ts';
import type { ImageSource } from './transport/source.ts';
import { collectBytes, verifyBytes } from './verify.ts';

/** Where layers go: the layer store, as much of it as a copy needs. */
export interface LayerSink {
  has(diffId: Digest): Promise<boolean> | boolean;
  /**
   * Make sure the layer is there, all or nothing; `source` is only called when its bytes are needed. The sink hashes what it reads: it refuses
   * bytes that are not `compressedDigest` and `sizeBytes`, and a tar that is not `diffId`. `onProgress` counts bytes as read from the source.
   */
  apply(
    diffId: Digest,
    source: () => Promise<Readable>,
    options: {
      readonly compressedDigest: Digest;
      readonly sizeBytes: number;
      readonly signal: AbortSignal;
      readonly onProgress: (doneBytes: number) => void;
    },
  ): Promise<{ readonly facts: { readonly tarBytes: number }; readonly notices: readonly string[] }>;
}

export interface StoreImageOptions {
  readonly layers: LayerSink;
  readonly blobs: Blobs;
  readonly policy: Policy;
  /** Only to tell when the image is for another machine. */
  readonly platform?: Platform;
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: OnCopyEvent | undefined;
}

export interface StoredImage {
  readonly imageId: ImageId;
  readonly manifestDigest: Digest;
  /** Digest of the index that the manifest was picked from: RepoDigests show both. */
  readonly indexDigest?: Digest;
  readonly mediaType: string;
  readonly config: ImageConfig;
  /** Diff-ids, lowest layer first. The manifest, kept in `blobs`, says which compressed blob each came from. */
  readonly layers: readonly Digest[];
  /** Names that the source gave. */
  readonly names: readonly string[];
  /** As Podman counts: the uncompressed layers, the config, and the manifest under two names. */
  readonly sizeBytes: number;
}

/**
 * Copy one image into the store. Layers that are here already are not fetched.
 * Throws POLICY_REJECTED, IMAGE_CORRUPT, LAYER_REFUSED, STORE_FULL, ABORTED, and what the source throws. A failure leaves at most complete
 * layers that no image uses (a following pull takes them up, `prune` removes them).
 */
export async function storeImage(source: ImageSource, options: StoreImageOptions): Promise<StoredImage> {
  const { blobs, policy, signal, onEvent } = options;
  enforcePolicy(policy, source.origin);
  const document = await source.manifest(signal);
  const manifest = parseManifest(document.bytes, document.mediaType, `manifest of ${source.label}`);
  onEvent?.({ kind: 'signatures' });
  const configBytes = await fetchConfig(source, manifest.config, signal);
  const config = parseConfig(configBytes, manifest, `config of ${source.label}`);
  warnOfPlatform(config, options);

  const layerBytes = await storeLayers(source, pairLayers(manifest.layers, config.rootfs.diff_ids, source.label), options);
  onEvent?.({ kind: 'config', digest: manifest.config.digest });
  await blobs.put(configBytes, manifest.config.digest);
  onEvent?.({ kind: 'manifest' });
  const manifestDigest = await blobs.put(document.bytes, document.digest);
  return {
    imageId: asId<ImageId>(digestHex(manifest.config.digest)),
    manifestDigest,
    ...(document.indexDigest === undefined ? {} : { indexDigest: document.indexDigest }),
    mediaType: manifest.mediaType,
    config,
    layers: config.rootfs.diff_ids,
    names: source.names,
    sizeBytes: layerBytes + configBytes.length + 2 * document.bytes.length,
  };
}

async function fetchConfig(source: ImageSource, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<Buffer> {
  const what = `config of ${source.label}`;
  const bytes = await collectBytes(await source.blob(descriptor, signal), DOCUMENT_LIMIT_BYTES, what);
  verifyBytes(bytes, descriptor, what);
  return bytes;
}

interface LayerPair {
  readonly diffId: Digest;
  readonly descriptor: Descriptor;
}

/** The same layer may be listed twice; one tar cannot come from two blobs with different contents, but from two that were compressed apart. */
function pairLayers(layers: readonly Descriptor[], diffIds: readonly Digest[], label: string): readonly LayerPair[] {
  const pairs = new Map<Digest, LayerPair>();
  const diffIdOf = new Map<Digest, Digest>();
  for (const [index, descriptor] of layers.entries()) {
    const diffId = diffIds[index]!;
    if ((diffIdOf.get(descriptor.digest) ?? diffId) !== diffId) {
      throw new EngineError('IMAGE_CORRUPT', `config of ${label}: blob ${descriptor.digest} has two diff_ids`);
    }
    diffIdOf.set(descriptor.digest, diffId);
    if (!pairs.has(diffId)) pairs.set(diffId, { diffId, descriptor });
  }
  return [...pairs.values()];
}

/** Each takes up to 30 MB of memory, however many cores there are. */
const LAYERS_AT_ONCE = 6;

/** Returns the uncompressed size of all. */
async function storeLayers(
  source: ImageSource,
  pairs: readonly LayerPair[],
  { layers, signal, onEvent }: StoreImageOptions,
): Promise<number> {
  // From a registry one more than there are cores: while one waits for the network, the others unpack. From a file it would be one more warm-up.
  const waits = source.origin.transport === 'docker' ? 1 : 0;
  const limit = Math.min(availableParallelism() + waits, LAYERS_AT_ONCE);
  const sizes = await mapConcurrent(pairs, { limit, signal }, async ({ diffId, descriptor }, each) => {
    const { digest, size } = descriptor;
    onEvent?.({ kind: 'blob', digest, total: size, present: await layers.has(diffId) });
    const { facts, notices } = await layers.apply(diffId, () => source.blob(descriptor, each), {
      compressedDigest: digest,
      sizeBytes: size,
      signal: each,
      onProgress: (done) => onEvent?.({ kind: 'layer', digest, total: size, done }),
    });
    for (const text of notices) onEvent?.({ kind: 'notice', text });
    return facts.tarBytes;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

function warnOfPlatform({ os, architecture, variant }: ImageConfig, { platform }: StoreImageOptions): void {
  const found: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  if (platform === undefined || suits(found, platform)) return;
  log.warn(`image platform (${formatPlatform(found)}) does not match the expected platform (${formatPlatform(platform)})`);
}
