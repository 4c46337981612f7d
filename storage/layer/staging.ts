/**
 * Directories for things in the making, under `tmp/` of the store. Each has a lock file that its owner holds as long as it works:
 * flock(2) dies with the process, so a directory whose lock is free belongs to nobody and is removed by the next who comes.
 */
import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import { tryLockFile, type FileLock } from '../../host/flock.ts';
import { unmountBelow } from '../../host/mount.ts';
import { spreadDirectories } from '../../host/spread.ts';
import { randomHex } from '../../host/random.ts';
import { removeTree } from '../tree/remove.ts';

const PREFIX = 'layer-';
const LOCK = '.lock';

export class StagingDirectory implements Disposable {
  readonly path: string;
  readonly #lockPath: string;
  readonly #lock: FileLock;

  private constructor(path: string, lock: FileLock) {
    this.path = path;
    this.#lockPath = path + LOCK;
    this.#lock = lock;
  }

  /** Make one in `parent`, which is made if missing. */
  static make(parent: string): StagingDirectory {
    mkdirSync(parent, { recursive: true, mode: 0o700 });
    spreadDirectories(parent);
    for (;;) {
      const path = join(parent, PREFIX + randomHex(8));
      const lock = tryLockFile(path + LOCK);
      // A healer may have come between the making of the lock file and its locking.
      if (lock === undefined) continue;
      try {
        mkdirSync(path, 0o700);
      } catch (error) {
        rmSync(path + LOCK);
        lock[Symbol.dispose]();
        throw error;
      }
      return new StagingDirectory(path, lock);
    }
  }

  /** Rename into place: what is at `to` afterwards is whole. `to` must not exist. */
  keepAs(to: string): void {
    renameSync(this.path, to);
  }

  /** Removes what was not kept. */
  [Symbol.dispose](): void {
    removeTree(this.path);
    rmSync(this.#lockPath, { force: true });
    this.#lock[Symbol.dispose]();
  }
}

/** Remove what killed processes left in `parent`. Returns how many directories that were. */
export function healStaging(parent: string): number {
  let healed = 0;
  for (const name of namesIn(parent)) {
    if (!name.startsWith(PREFIX) || !name.endsWith(LOCK)) continue;
    using lock = tryLockFile(join(parent, name));
    if (lock === undefined) continue;
    const path = join(parent, name.slice(0, -LOCK.length));
    unmountBelow(path);
    removeTree(path);
    rmSync(join(parent, name), { force: true });
    healed++;
  }
  return healed;
}
