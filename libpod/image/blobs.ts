import { join } from 'node:path';
import { Blobs } from '../../storage/blobs.ts';
import type { Engine } from '../engine.ts';

/** Manifests and configs of the images in the store. */
export function imageBlobs(engine: Engine): Blobs {
  return new Blobs({ directory: join(engine.paths.store, 'blobs'), staging: stagingDirectory(engine) });
}

/** On the file system of the store, so that what is made there can be renamed into place. */
export function stagingDirectory(engine: Engine): string {
  return join(engine.paths.store, 'tmp');
}
