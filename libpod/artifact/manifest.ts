/** The manifest of an artifact of the store, and what of it is asked for most. */
import { EngineError } from '../../core/errors.ts';
import { CREATED, TITLE, type ArtifactDocument } from '../../storage/artifact/document.ts';
import type { Descriptor, ImageManifest } from '../../storage/image.ts';
import { parseAnyDocument } from '../../storage/manifest.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import type { ArtifactRecord } from '../state/artifacts.ts';

/** Throws STORE_CORRUPT. */
export async function readArtifact(engine: Engine, { name, digest }: Pick<ArtifactRecord, 'name' | 'digest'>): Promise<ImageManifest> {
  return artifactManifest(await imageBlobs(engine).read(digest), undefined, `manifest of artifact ${name}`);
}

/** Throws IMAGE_CORRUPT. */
export function artifactManifest(bytes: Uint8Array, declaredType: string | undefined, what: string): ImageManifest {
  const document = parseAnyDocument(bytes, declaredType, what);
  if (document.kind === 'manifest') return document.manifest;
  throw new EngineError('IMAGE_CORRUPT', `${what}: an index where a manifest was expected`);
}

/** The row of an artifact with this manifest. */
export function artifactRecord(
  name: string,
  digest: ArtifactRecord['digest'],
  manifest: Pick<ArtifactDocument, 'config' | 'layers' | 'annotations'>,
): ArtifactRecord {
  return {
    name,
    digest,
    sizeBytes: manifest.layers.reduce((sum, { size }) => sum + size, 0),
    created: manifest.annotations?.[CREATED] ?? '',
    blobs: [...new Set([digest, manifest.config.digest, ...manifest.layers.map((layer) => layer.digest)])],
  };
}

export function titleOf({ annotations }: Descriptor): string {
  return annotations?.[TITLE] ?? '';
}
