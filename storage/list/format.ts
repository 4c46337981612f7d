/** Indexes as bytes: OCI's (image-spec image-index.md) and Docker's manifest list, fields in the order in which Go's tools write them. Pure. */
import type { Descriptor, Platform } from '../image.ts';
import { MEDIA, type ImageIndex } from '../manifest.ts';

/** An index with nothing in it. */
export const EMPTY_LIST: ImageIndex = { mediaType: MEDIA.dockerIndex, manifests: [] };

/** The bytes of the index in the format its `mediaType` says; what that format has no field for is left out. */
export function formatIndex(index: ImageIndex): Buffer {
  return Buffer.from(JSON.stringify(index.mediaType === MEDIA.dockerIndex ? dockerList(index) : ociIndex(index)));
}

/** The format that loses nothing: OCI's for what Docker has no words for, Docker's for processor features and where nothing asks for OCI's. */
export function preferredType(index: Omit<ImageIndex, 'mediaType'>): string {
  const { manifests, annotations, subject, artifactType } = index;
  const ociOnly =
    subject !== undefined ||
    artifactType !== undefined ||
    hasKeys(annotations) ||
    manifests.some((entry) => entry.artifactType !== undefined || hasKeys(entry.annotations) || entry.mediaType === MEDIA.ociManifest);
  if (ociOnly) return MEDIA.ociIndex;
  if (manifests.some(({ platform }) => (platform?.features ?? []).length > 0)) return MEDIA.dockerIndex;
  return manifests.length > 0 ? MEDIA.ociIndex : MEDIA.dockerIndex;
}

function ociIndex({ manifests, annotations, subject, artifactType }: ImageIndex): object {
  return {
    schemaVersion: 2,
    mediaType: MEDIA.ociIndex,
    ...(artifactType === undefined ? {} : { artifactType }),
    manifests: manifests.map(ociDescriptor),
    ...(subject === undefined ? {} : { subject: ociDescriptor(subject) }),
    ...(hasKeys(annotations) ? { annotations: sorted(annotations) } : {}),
  };
}

/** A descriptor as Go's image-spec package orders it. */
export function ociDescriptor({ mediaType, digest, size, urls, annotations, data, platform, artifactType }: Descriptor): object {
  return {
    mediaType,
    digest,
    size,
    ...(urls && urls.length > 0 ? { urls } : {}),
    ...(hasKeys(annotations) ? { annotations: sorted(annotations) } : {}),
    ...(data === undefined ? {} : { data }),
    ...(platform === undefined ? {} : { platform: ociPlatform(platform) }),
    ...(artifactType === undefined ? {} : { artifactType }),
  };
}

function ociPlatform(platform: Platform): object {
  const { features: _features, ...rest } = dockerPlatform(platform);
  return rest;
}

function dockerList({ manifests }: ImageIndex): object {
  return {
    schemaVersion: 2,
    mediaType: MEDIA.dockerIndex,
    manifests: manifests.map(({ mediaType, size, digest, urls, platform }) => ({
      mediaType,
      size,
      digest,
      ...(urls && urls.length > 0 ? { urls } : {}),
      platform: dockerPlatform(platform ?? { architecture: '', os: '' }),
    })),
  };
}

/** In the order of both formats; empty lists and texts are left out. */
export function dockerPlatform(platform: Platform): Platform {
  const { architecture, os, variant, features } = platform;
  const { 'os.version': osVersion, 'os.features': osFeatures } = platform;
  return {
    architecture,
    os,
    ...(osVersion ? { 'os.version': osVersion } : {}),
    ...(osFeatures && osFeatures.length > 0 ? { 'os.features': osFeatures } : {}),
    ...(variant ? { variant } : {}),
    ...(features && features.length > 0 ? { features } : {}),
  };
}

function hasKeys(map: Readonly<Record<string, string>> | undefined): map is Readonly<Record<string, string>> {
  return map !== undefined && Object.keys(map).length > 0;
}

/** As Go writes maps. */
export function sorted(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map).toSorted(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
}
