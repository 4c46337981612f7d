/** `artifact add`: files of the caller under a name. */
import { basename } from 'node:path';
import type { Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { lockFile } from '../../host/flock.ts';
import {
  CREATED,
  EMPTY_CONFIG,
  EMPTY_CONFIG_BYTES,
  formatArtifact,
  TITLE,
  type ArtifactDocument,
} from '../../storage/artifact/document.ts';
import type { Descriptor } from '../../storage/image.ts';
import { parseTyped } from '../../storage/reference.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { incomingLock } from '../image/garbage.ts';
import { keepFile } from './files.ts';
import { artifactRecord, readArtifact, titleOf } from './manifest.ts';
import { changedMeanwhile, putArtifact } from './rows.ts';

export interface AddArtifactOptions {
  readonly type?: string | undefined;
  /** Media type of the files; absent: by their first bytes. */
  readonly fileType?: string | undefined;
  /** Of each file, and of a new artifact. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Add to the artifact that has the name. */
  readonly append: boolean;
  /** Take the place of the artifact that has the name. */
  readonly replace: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All files or none. Resolves with the digest of the manifest.
 * Throws INVALID_REFERENCE, INVALID_ARGUMENT, NAME_IN_USE, NO_SUCH_ARTIFACT (append), LOCKED, STORE_FULL.
 */
export async function addArtifact(engine: Engine, name: string, paths: readonly string[], options: AddArtifactOptions): Promise<Digest> {
  const { append, replace } = options;
  checkName(name);
  using _incoming = await lockFile(incomingLock(engine), { mode: 'shared' });
  const before = engine.artifacts.byName(name);
  if (append && !before) throw new EngineError('NO_SUCH_ARTIFACT', `${name}: artifact does not exist`);
  if (before && !append && !replace) throw new EngineError('NAME_IN_USE', `${name}: artifact already exists`);
  const base = append && before ? await readArtifact(engine, before) : await emptyArtifact(engine, options);
  const titles = paths.map((path) => options.annotations[TITLE] ?? basename(path));
  refuseTwice([...base.layers.map(titleOf), ...titles]);
  const layers: Descriptor[] = [...base.layers];
  for (const [index, path] of paths.entries()) layers.push(await layerOf(engine, path, titles[index]!, options));
  const artifact = { ...base, layers };
  const digest = await imageBlobs(engine).put(formatArtifact(artifact));
  if (!(await putArtifact(engine, artifactRecord(name, digest, artifact), replace ? 'any' : before))) throw changedMeanwhile(name);
  return digest;
}

function checkName(name: string): void {
  try {
    parseTyped(name);
  } catch (error) {
    if (!isEngineError(error, 'INVALID_REFERENCE')) throw error;
    throw new EngineError('INVALID_REFERENCE', `Invalid image ${name}`, { cause: error });
  }
}

async function emptyArtifact(engine: Engine, { type, annotations }: AddArtifactOptions): Promise<ArtifactDocument> {
  await imageBlobs(engine).put(EMPTY_CONFIG_BYTES);
  return { artifactType: type, config: EMPTY_CONFIG, layers: [], annotations: { ...annotations, [CREATED]: new Date().toISOString() } };
}

async function layerOf(
  engine: Engine,
  path: string,
  title: string,
  { fileType, annotations, signal }: AddArtifactOptions,
): Promise<Descriptor> {
  const { digest, size, sniffedType } = await keepFile(engine, path, signal);
  return { mediaType: fileType || sniffedType, digest, size, annotations: { ...annotations, [TITLE]: title } };
}

function refuseTwice(titles: readonly string[]): void {
  const seen = new Set<string>();
  for (const title of titles) {
    if (title !== '' && seen.has(title)) throw new EngineError('NAME_IN_USE', `${title}: file already exists in artifact`);
    seen.add(title);
  }
}
