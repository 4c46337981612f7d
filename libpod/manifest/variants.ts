/** `manifest push --add-compression`: what goes out a second time, compressed in another way, and how an index tells the copies apart. Pure. */
import { compressionOf } from '../../storage/convert.ts';
import type { Descriptor } from '../../storage/image.ts';
import { dockerPlatform } from '../../storage/list/format.ts';
import { parseAnyDocument } from '../../storage/manifest.ts';
import type { LayerCompression } from '../../storage/transport/compress.ts';
import type { ManifestDocument } from '../../storage/transport/source.ts';

/** By this annotation of an entry, engines that read zstd find it, and others pass it over. */
const ZSTD_ANNOTATION = 'io.github.containers.compression.zstd';

export interface Sending {
  readonly entry: Descriptor;
  /** How a copy of the image is compressed; absent: what is listed itself. */
  readonly added?: LayerCompression;
}

/**
 * All entries in their order, each followed by its copies: one for each compression that no image of its platform has yet.
 * `compressionAs` tells how an entry itself will be there; undefined for what is no image, and has no copies.
 */
export function planSendings(
  entries: readonly Descriptor[],
  added: readonly LayerCompression[],
  compressionAs: (entry: Descriptor) => LayerCompression | undefined,
): readonly Sending[] {
  const there = new Map<string, Set<LayerCompression>>();
  for (const entry of entries) {
    const compression = compressionAs(entry);
    if (compression !== undefined) there.set(platformKey(entry), (there.get(platformKey(entry)) ?? new Set()).add(compression));
  }
  return entries.flatMap((entry) => {
    const present = there.get(platformKey(entry));
    if (present === undefined || compressionAs(entry) === undefined) return [{ entry }];
    const missing = [...new Set(added)].filter((compression) => !present.has(compression));
    for (const compression of missing) present.add(compression);
    return [{ entry }, ...missing.map((compression) => ({ entry, added: compression }))];
  });
}

export function isMarkedZstd({ annotations }: Descriptor): boolean {
  return annotations?.[ZSTD_ANNOTATION] === 'true';
}

/** The entry of what came to be at the destination. What went out as it was keeps its entry. */
export function entryOf(entry: Descriptor, document: ManifestDocument): Descriptor {
  const { mediaType, digest, bytes } = document;
  const there = { ...entry, mediaType, digest, size: bytes.length };
  if (digest === entry.digest) return there;
  const { [ZSTD_ANNOTATION]: _mark, ...others } = entry.annotations ?? {};
  const annotations = hasZstd(document) ? { ...others, [ZSTD_ANNOTATION]: 'true' } : others;
  return { ...there, annotations };
}

/** One layer is enough to keep others from reading it. */
function hasZstd({ bytes, mediaType, digest }: ManifestDocument): boolean {
  const document = parseAnyDocument(bytes, mediaType, `manifest ${digest}`);
  return document.kind === 'manifest' && document.manifest.layers.some((layer) => compressionOf(layer.mediaType) === 'zstd');
}

function platformKey({ platform }: Descriptor): string {
  return platform === undefined ? '' : JSON.stringify(dockerPlatform(platform));
}
