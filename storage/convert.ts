/** Manifests for what is written: OCI and Docker v2s2 say the same in other words. The config's bytes stay, so that the image keeps its id. */
import type { Descriptor, ImageManifest } from './image.ts';
import { MEDIA } from './manifest.ts';
import { digestOf } from './verify.ts';
import type { LayerCompression } from './transport/compress.ts';
import type { ManifestFormat } from './transport/destination.ts';

export function formatOf(mediaType: string): ManifestFormat {
  return mediaType === MEDIA.dockerManifest ? 'v2s2' : 'oci';
}

/** Of a layer's bytes, by its media type; undefined for types that do not say (encrypted, foreign). */
export function compressionOf(mediaType: string): LayerCompression | undefined {
  if (mediaType === MEDIA.ociLayer || mediaType === MEDIA.dockerLayer) return 'none';
  if (mediaType === `${MEDIA.ociLayer}+gzip` || mediaType === `${MEDIA.dockerLayer}.gzip`) return 'gzip';
  if (mediaType === `${MEDIA.ociLayer}+zstd` || mediaType === `${MEDIA.dockerLayer}.zstd`) return 'zstd';
  return undefined;
}

export function layerType(format: ManifestFormat, compression: LayerCompression): string {
  if (format === 'oci') return compression === 'none' ? MEDIA.ociLayer : `${MEDIA.ociLayer}+${compression}`;
  return compression === 'none' ? MEDIA.dockerLayer : `${MEDIA.dockerLayer}.${compression}`;
}

export interface PlainImage {
  readonly config: Uint8Array;
  /** Plain tars. */
  readonly layers: readonly Pick<Descriptor, 'digest' | 'size'>[];
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The manifest of a new image. Annotations only with `oci`. */
export function plainManifest(
  format: 'oci' | 'docker',
  { config, layers, annotations }: PlainImage,
): { readonly bytes: Buffer; readonly mediaType: string } {
  const [mediaType, configType, type] =
    format === 'docker'
      ? [MEDIA.dockerManifest, MEDIA.dockerConfig, MEDIA.dockerLayer]
      : [MEDIA.ociManifest, MEDIA.ociConfig, MEDIA.ociLayer];
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: { mediaType: configType, digest: digestOf(config), size: config.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: type, digest, size })),
    ...(format === 'oci' && annotations !== undefined ? { annotations } : {}),
  };
  return { bytes: Buffer.from(JSON.stringify(manifest)), mediaType };
}

export interface ManifestParts {
  readonly format: ManifestFormat;
  /** As they are at the destination, their media types fitting the format. */
  readonly layers: readonly Descriptor[];
}

/**
 * The manifest of the same image with these layers, in the order of keys that Podman writes. Annotations are lost in v2s2, which has none.
 * The original bytes where nothing has changed: so the digest stays, too.
 */
export function formatManifest(
  original: { readonly bytes: Uint8Array; readonly manifest: ImageManifest },
  parts: ManifestParts,
): Uint8Array {
  const { manifest, bytes } = original;
  if (formatOf(manifest.mediaType) === parts.format && isSame(manifest.layers, parts.layers)) return bytes;
  const { digest, size } = manifest.config;
  if (parts.format === 'v2s2') {
    return encode({
      schemaVersion: 2,
      mediaType: MEDIA.dockerManifest,
      config: { mediaType: MEDIA.dockerConfig, size, digest },
      layers: parts.layers.map((layer) => ({ mediaType: layer.mediaType, size: layer.size, digest: layer.digest })),
    });
  }
  return encode({
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: { mediaType: MEDIA.ociConfig, digest, size },
    layers: parts.layers.map((layer) => ({
      mediaType: layer.mediaType,
      digest: layer.digest,
      size: layer.size,
      ...(layer.annotations === undefined ? {} : { annotations: layer.annotations }),
    })),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  });
}

function isSame(before: readonly Descriptor[], after: readonly Descriptor[]): boolean {
  return (
    before.length === after.length &&
    before.every(({ digest, size, mediaType }, index) => {
      const other = after[index]!;
      return digest === other.digest && size === other.size && mediaType === other.mediaType;
    })
  );
}

function encode(manifest: ImageManifest): Uint8Array {
  return Buffer.from(JSON.stringify(manifest));
}
