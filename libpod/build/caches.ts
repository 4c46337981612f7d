/** What cache mounts of builds keep: directories of the store, each with a lock that builds share and a removal takes alone. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { tryLockFile } from '../../host/flock.ts';
import { namesIn, readIfThere } from '../../host/if-there.ts';
import { printable } from '../../storage/registry/printable.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import { diskUsage } from '../../storage/tree/usage.ts';
import type { Engine } from '../engine.ts';
import type { CacheUsage } from '../summary.ts';
import { digestsDirectory } from './file-digests.ts';

const LOCK = '.lock';

export function cachesDirectory({ paths }: Pick<Engine, 'paths'>): string {
  return join(paths.store, 'build-cache');
}

export function cacheUsage(engine: Engine): readonly CacheUsage[] {
  const directory = cachesDirectory(engine);
  return lockNames(directory).map((name) => {
    using lock = tryLockFile(join(directory, name));
    const { sizeBytes } = diskUsage(treeOf(directory, name));
    return { id: printable(readIfThere(join(directory, name)) || name.slice(0, -LOCK.length)), isUsed: lock === undefined, sizeBytes };
  });
}

/** Remove those that no build uses, and what is known of the files of contexts. */
export function pruneCaches(engine: Engine): void {
  rmSync(digestsDirectory(engine), { recursive: true, force: true });
  const directory = cachesDirectory(engine);
  for (const name of lockNames(directory)) {
    using lock = tryLockFile(join(directory, name));
    if (lock === undefined) continue;
    removeTree(treeOf(directory, name));
    rmSync(join(directory, name), { force: true });
  }
}

function lockNames(directory: string): string[] {
  return namesIn(directory).filter((name) => name.endsWith(LOCK));
}

function treeOf(directory: string, lockName: string): string {
  return join(directory, lockName.slice(0, -LOCK.length));
}
