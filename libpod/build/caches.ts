/** What cache mounts of builds keep: directories of the store, each with a lock that builds share and a removal takes alone. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryLockFile } from '../../host/flock.ts';
import { namesIn } from '../../host/if-there.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import type { Engine } from '../engine.ts';
import { digestsDirectory } from './file-digests.ts';

export function cachesDirectory({ paths }: Pick<Engine, 'paths'>): string {
  return join(paths.store, 'build-cache');
}

/** Remove those that no build uses, and what is known of the files of contexts. */
export function pruneCaches(engine: Engine): void {
  rmSync(digestsDirectory(engine), { recursive: true, force: true });
  const directory = cachesDirectory(engine);
  for (const name of namesIn(directory).filter((one) => one.endsWith('.lock'))) {
    using lock = tryLockFile(join(directory, name));
    if (lock === undefined) continue;
    removeTree(join(directory, name.slice(0, -'.lock'.length)));
    rmSync(join(directory, name), { force: true });
  }
}
