/** The files of an artifact as they lie in the store. */
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { readArtifact, titleOf } from './manifest.ts';

export interface ArtifactBlob {
  /** A plain file name, fit to be made in any directory: the title, or what stands for the digest where there is none. */
  readonly name: string;
  /** As the manifest says it; empty: it does not. */
  readonly title: string;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Read-only: other artifacts may share it. */
  readonly path: string;
}

export interface BlobChoice {
  readonly digest?: string | undefined;
  readonly title?: string | undefined;
}

/** All, or the one that is chosen. Throws NO_SUCH_ARTIFACT, and INVALID_ARGUMENT where none fits, or where a title is no plain file name. */
export async function artifactBlobs(engine: Engine, name: string, choice: BlobChoice = {}): Promise<readonly ArtifactBlob[]> {
  const { digest, title } = choice;
  if (digest && title) throw new EngineError('INVALID_ARGUMENT', 'cannot specify both digest and title');
  const { layers } = await readArtifact(engine, engine.artifacts.find(name));
  const chosen = layers.filter((layer) => (!digest || layer.digest === digest) && (!title || titleOf(layer) === title));
  if (digest && chosen.length === 0) throw new EngineError('INVALID_ARGUMENT', `no blob with the digest ${JSON.stringify(digest)}`);
  if (title && chosen.length === 0) throw new EngineError('INVALID_ARGUMENT', `no blob with the title ${JSON.stringify(title)}`);
  // Of several that fit the first is meant, as in Podman.
  return (digest || title ? chosen.slice(0, 1) : chosen).map((layer) => ({
    name: fileName(titleOf(layer), layer.digest),
    title: titleOf(layer),
    digest: layer.digest,
    sizeBytes: layer.size,
    path: imageBlobs(engine).path(layer.digest),
  }));
}

const NAME_LIMIT_BYTES = 255;

/**
 * Titles come from whoever made the artifact: one that could lead anywhere else than into the directory is refused, not repaired.
 * Throws INVALID_ARGUMENT.
 */
export function fileName(title: string, digest: Digest): string {
  if (title === '') return digest.replace(':', '-');
  const bad = (why: string): EngineError =>
    new EngineError('INVALID_ARGUMENT', `invalid name: ${JSON.stringify(title.slice(0, 100))} ${why}: title of a blob is no file name`);
  if (title.includes('/')) throw bad('cannot contain /');
  if (title.includes('\0')) throw bad('cannot contain a NUL');
  if (title === '.' || title === '..') throw bad('is a directory');
  if (Buffer.byteLength(title) > NAME_LIMIT_BYTES) throw bad('is too long');
  return title;
}
