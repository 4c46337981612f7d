/** `--mount type=artifact`: the blobs of an artifact as files of a container, read-only. */
import { chmodSync } from 'node:fs';
import { posix } from 'node:path';
import type { Engine } from '../engine.ts';
import type { ContainerMount, ResolvedMount } from '../spec/container.ts';
import { artifactBlobs } from './blobs.ts';

/**
 * One blob becomes the target itself, unless that is a directory of the container; several become files below it, named by title, or by a
 * given name and their number. Throws NO_SUCH_ARTIFACT, INVALID_ARGUMENT.
 */
export async function resolveArtifact(
  engine: Engine,
  mount: Extract<ContainerMount, { type: 'artifact' }>,
  isDirectory: boolean,
): Promise<ResolvedMount[]> {
  const { source, target, title, digest, fileName } = mount;
  const blobs = await artifactBlobs(engine, source, { title, digest });
  const isTarget = blobs.length === 1 && !isDirectory;
  return blobs.map(({ path, name }, index) => {
    // Whoever the container runs as may read it; the store lets nobody else in.
    chmodSync(path, 0o644);
    const given = fileName !== undefined && blobs.length > 1 ? `${fileName}-${index}` : fileName;
    return {
      type: 'bind',
      source: path,
      target: isTarget ? target : posix.join(target, given ?? name),
      options: ['bind', 'rprivate', 'ro'],
    };
  });
}
