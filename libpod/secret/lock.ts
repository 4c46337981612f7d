import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile, type FileLock } from '../../host/flock.ts';
import type { Engine } from '../engine.ts';

/** The exclusive right to make and remove secrets. Dies with its holder. Throws LOCKED. */
export async function lockSecrets(engine: Engine): Promise<FileLock> {
  const directory = join(engine.paths.run, 'locks');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return lockFile(join(directory, 'secrets'), { timeoutMs: 120_000 });
}
