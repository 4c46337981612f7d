/** Manifests with what they list, sent on as they are: what lies in another registry, and artifacts, whose files are no layers. */
import type { Readable } from 'node:stream';
import { mapConcurrent } from '../core/concurrent.ts';
import type { Digest } from '../core/digest.ts';
import { compressionOf, formatManifest, formatOf, layerType } from './convert.ts';
import type { Descriptor, ImageManifest } from './image.ts';
import { isImageManifest, MEDIA } from './manifest.ts';
import type { OnCopyEvent } from './progress.ts';
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
  const distinct = new Map(manifest.layers.map((layer) => [layer.digest, layer]));
  const limit = destination.traits.sideBySide ? AT_ONCE : 1;
  await mapConcurrent(distinct.values(), { limit, signal }, (layer, each) => put(layer, false, each));
  await put(manifest.config, true, signal);
  onEvent?.({ kind: 'manifest' });
  const document = converted(source, options.format);
  await destination.putManifest(document, 'name', signal);
  return document;
}

function converted({ manifest, bytes, digest }: RelayedManifest, format: ManifestFormat | undefined): ManifestDocument {
  if (format === undefined || !isImageManifest(manifest) || formatOf(manifest.mediaType) === format) {
    return { bytes, mediaType: manifest.mediaType, digest };
  }
  const layers = manifest.layers.map((layer) => {
    const compression = compressionOf(layer.mediaType);
    return compression === undefined ? layer : { ...layer, mediaType: layerType(format, compression) };
  });
  const changed = formatManifest({ manifest, bytes }, { format, layers });
  return { bytes: changed, mediaType: format === 'oci' ? MEDIA.ociManifest : MEDIA.dockerManifest, digest: digestOf(changed) };
}
