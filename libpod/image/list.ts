import type { Digest } from '../../core/digest.ts';
import { parseReference, repositoryOf } from '../../storage/reference.ts';
import type { Engine } from '../engine.ts';
import { NEVER } from '../inspect/time.ts';
import { isList, type ImageRecord } from '../state/images.ts';
import type { ImageSummary } from '../summary.ts';
import { imageFacts, imageTest, type ImageFacts } from './filter.ts';

export interface ListOptions {
  readonly filters: readonly string[];
  /** Intermediate images of builds too. */
  readonly all: boolean;
}

/** Newest first. Throws what imageTest throws. */
export async function listImages(engine: Engine, options: ListOptions): Promise<ImageSummary[]> {
  const images = engine.images.list();
  const facts = imageFacts(engine, images);
  const test = await imageTest(engine, options.all ? options.filters : [...options.filters, 'intermediate=false'], facts);
  return images.filter(test).map((image) => summarise(engine, image, facts));
}

/** `repository@digest` for every repository the image has a name in, by the manifest and by the index it was picked from. */
export function repoDigests({
  names,
  manifestDigest,
  indexDigest,
}: Pick<ImageRecord, 'names' | 'manifestDigest' | 'indexDigest'>): string[] {
  const digests: readonly Digest[] =
    indexDigest === undefined || indexDigest === manifestDigest ? [manifestDigest] : [manifestDigest, indexDigest];
  const repositories = new Set(names.map((name) => repositoryOf(parseReference(name))));
  return [...repositories].flatMap((repository) => digests.map((digest) => `${repository}@${digest}`));
}

function summarise(engine: Engine, image: ImageRecord, { parentOf, containers }: ImageFacts): ImageSummary {
  return {
    id: image.id,
    parentId: parentOf.get(image.id) ?? '',
    names: image.names,
    // Podman tells none of a list.
    history: isList(image) ? [] : engine.images.pastNames(image.id),
    digest: image.manifestDigest,
    repoDigests: repoDigests(image),
    createdAt: image.config.created ?? NEVER,
    sizeBytes: image.sizeBytes,
    sharedSizeBytes: 0,
    labels: image.config.config?.Labels ?? {},
    containers: containers.get(image.id) ?? 0,
    readOnly: false,
    isManifestList: false,
  };
}
