/** Manifests of artifacts (image-spec manifest.md#guidelines-for-artifact-usage): files under titles, and no config to speak of. Pure. */
import { digestFromHex } from '../../core/digest.ts';
import type { Descriptor } from '../image.ts';
import { ociDescriptor, sorted } from '../list/format.ts';
import { MEDIA } from '../media.ts';

export const TITLE = 'org.opencontainers.image.title';
export const CREATED = 'org.opencontainers.image.created';

/** `{}`: what stands where an image has its config. */
export const EMPTY_CONFIG_BYTES = Buffer.from('{}');
export const EMPTY_CONFIG: Descriptor = {
  mediaType: 'application/vnd.oci.empty.v1+json',
  digest: digestFromHex('44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'),
  size: EMPTY_CONFIG_BYTES.length,
  data: EMPTY_CONFIG_BYTES.toString('base64'),
};

export interface ArtifactDocument {
  readonly artifactType?: string | undefined;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly subject?: Descriptor | undefined;
  readonly annotations?: Readonly<Record<string, string>> | undefined;
}

/** The bytes, fields in the order of Go's tools. */
export function formatArtifact(artifact: ArtifactDocument): Buffer {
  return Buffer.from(JSON.stringify(artifactFields(artifact)));
}

/** The same as an object, for show. */
export function artifactFields({ artifactType, config, layers, subject, annotations }: ArtifactDocument): object {
  return {
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    ...(artifactType ? { artifactType } : {}),
    config: ociDescriptor(config),
    layers: layers.map(ociDescriptor),
    ...(subject === undefined ? {} : { subject: ociDescriptor(subject) }),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations: sorted(annotations) } : {}),
  };
}
