import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { lockFile, tryLockFile, type FileLock } from '../../host/flock.ts';
import type { Engine } from '../engine.ts';

/** The exclusive right to make, mount or remove the volume of this name. Dies with its holder. Throws LOCKED. */
export async function lockVolume(engine: Engine, name: string): Promise<FileLock> {
  return lockFile(lockPath(engine, name), { timeoutMs: 120_000 });
}

/** Undefined while another process holds it. */
export function tryLockVolume(engine: Engine, name: string): FileLock | undefined {
  return tryLockFile(lockPath(engine, name));
}

/** One of 256 files: one for each name there ever was would never go away. */
function lockPath(engine: Engine, name: string): string {
  const directory = join(engine.paths.run, 'locks');
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  let sum = 0;
  for (const byte of Buffer.from(name)) sum = (sum * 31 + byte) % 256;
  return join(directory, `volume-${sum.toString(16).padStart(2, '0')}`);
}
