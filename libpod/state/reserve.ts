/**
 * A little space set aside in the store. On a full disk even a removal has to write: the reserve is given up for the rows of whatever puts
 * something to rest or takes it away, so that a full store can be emptied. The next command that finds room sets it aside again.
 */
import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Paths } from '../../host/paths.ts';
import { randomHex } from '../../host/random.ts';
import type { Database } from './database.ts';

const RESERVE_BYTES = 2 ** 20;

/** Cheap when it is there. No room for it is fine. */
export function keepReserve(store: string): void {
  const path = join(store, 'reserve');
  if (existsSync(path) || freeBytes(store) < 2 * RESERVE_BYTES) return;
  try {
    // Zeros would take no space on a file system that compresses.
    writeFileSync(path, randomHex(RESERVE_BYTES / 2), { mode: 0o600 });
  } catch {
    rmSync(path, { force: true });
  }
}

/** To be called, outside of a transaction, before rows are written that must not fail for want of space. */
export function giveUpReserve({ paths, db }: { readonly paths: Pick<Paths, 'store'>; readonly db: Database }): void {
  if (freeBytes(paths.store) >= RESERVE_BYTES) return;
  rmSync(join(paths.store, 'reserve'), { force: true });
  db.rewindLog();
}

function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
