/** `artifact extract`: files of an artifact out of the store. */
import { createReadStream, createWriteStream, lstatSync, renameSync, rmSync, statSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { digestFromHex } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { randomHex } from '../../host/random.ts';
import type { Engine } from '../engine.ts';
import { artifactBlobs, type ArtifactBlob, type BlobChoice } from './blobs.ts';

/**
 * Into the directory at `target`, each under its title, or one file as `target`. A file of the same name is replaced, whole; a symbolic link in the
 * directory is replaced, never followed. Throws NO_SUCH_ARTIFACT, INVALID_ARGUMENT, STORE_CORRUPT.
 */
export async function extractArtifact(
  engine: Engine,
  name: string,
  target: string,
  choice: BlobChoice & { readonly signal?: AbortSignal },
): Promise<void> {
  const blobs = await artifactBlobs(engine, name, choice);
  if (statSync(target, { throwIfNoEntry: false })?.isDirectory()) {
    for (const blob of blobs) await writeFile(blob, join(target, blob.name), choice.signal);
    return;
  }
  const [only] = blobs;
  if (only === undefined) return;
  if (blobs.length > 1) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `the artifact consists of several blobs and the target ${JSON.stringify(target)} is not a directory and neither digest or title was specified to only copy a single blob`,
    );
  }
  // A pipe, a device or a link that the caller names is written to, not replaced.
  const named = lstatSync(target, { throwIfNoEntry: false });
  if (named && !named.isFile()) await copy(only, target, 'w', choice.signal);
  else await writeFile(only, target, choice.signal);
}

async function writeFile(blob: ArtifactBlob, path: string, signal: AbortSignal | undefined): Promise<void> {
  const partial = join(dirname(path), `.lichen-${randomHex(8)}`);
  try {
    await copy(blob, partial, 'wx', signal);
    rename(partial, path);
  } finally {
    rmSync(partial, { force: true });
  }
}

function rename(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${to}: ${systemWords(cause)}`, { cause });
  }
}

async function copy(blob: ArtifactBlob, path: string, flags: 'w' | 'wx', signal: AbortSignal | undefined): Promise<void> {
  const hash = createHash('sha256');
  const source = createReadStream(blob.path, { highWaterMark: 2 ** 20 });
  source.on('data', (chunk) => hash.update(chunk));
  try {
    await pipeline(source, createWriteStream(path, { flags }), signal === undefined ? {} : { signal });
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(cause)}`, { cause });
  }
  if (digestFromHex(hash.digest('hex')) === blob.digest) return;
  throw new EngineError('STORE_CORRUPT', `blob ${blob.digest}: is altered in the store`, {
    hint: 'Remove the artifact and pull it again.',
  });
}
