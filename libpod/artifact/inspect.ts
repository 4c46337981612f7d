import { artifactFields } from '../../storage/artifact/document.ts';
import type { Engine } from '../engine.ts';
import { readArtifact } from './manifest.ts';

/** Podman's document. Throws NO_SUCH_ARTIFACT, STORE_CORRUPT. */
export async function inspectedArtifact(engine: Engine, text: string): Promise<object> {
  const artifact = engine.artifacts.find(text);
  return { Manifest: artifactFields(await readArtifact(engine, artifact)), Name: artifact.name, Digest: artifact.digest };
}
