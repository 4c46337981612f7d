import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { collectGarbage, forgetGarbage, noteParts } from '../image/garbage.ts';
import type { ArtifactRecord } from '../state/artifacts.ts';

/**
 * Make the artifact visible; what it replaces is let go. False and nothing written when a blob is not there any more, or when another artifact
 * than `replaces` has the name now. The caller holds the lock of incoming copies from before it looked for the first blob.
 */
export async function putArtifact(
  engine: Engine,
  artifact: ArtifactRecord,
  replaces: ArtifactRecord | undefined | 'any',
): Promise<boolean> {
  const done = engine.db.transaction(() => {
    const blobs = imageBlobs(engine);
    const before = engine.artifacts.byName(artifact.name);
    if (replaces !== 'any' && before?.digest !== replaces?.digest) return false;
    if (!artifact.blobs.every((digest) => blobs.hasNow(digest))) return false;
    engine.artifacts.put(artifact);
    if (before) noteParts(engine, before);
    forgetGarbage(engine, artifact.blobs);
    return true;
  });
  if (done) await collectGarbage(engine);
  return done;
}

/** Throws NO_SUCH_ARTIFACT, AMBIGUOUS_ID. */
export async function removeArtifact(engine: Engine, text: string): Promise<ArtifactRecord> {
  const removed = engine.db.transaction(() => {
    const artifact = engine.artifacts.find(text);
    noteParts(engine, artifact);
    engine.artifacts.remove(artifact.name);
    return artifact;
  });
  await collectGarbage(engine);
  return removed;
}

export function changedMeanwhile(name: string): EngineError {
  return new EngineError('LOCKED', `artifact ${name} was changed by another process`, { hint: 'Try again.' });
}
