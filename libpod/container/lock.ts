import { mkdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { namesIn } from '../../host/if-there.ts';
import type { ContainerId } from '../../core/id.ts';
import { EngineError } from '../../core/errors.ts';
import { lockFile, tryLockFile, type FileLock } from '../../host/flock.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { placesOf } from './places.ts';

/** The exclusive right to change a container. Dies with its holder. Throws LOCKED. */
export async function lockContainer(engine: Engine, id: ContainerId): Promise<FileLock> {
  const path = lockPath(engine, id);
  return lockFile(path, { timeoutMs: 120_000 });
}

/** Undefined when another process works on the container. */
export function tryLockContainer(engine: Engine, id: ContainerId): FileLock | undefined {
  return tryLockFile(lockPath(engine, id));
}

/** Lock the container and read it afresh. Throws NO_SUCH_CONTAINER if it went away meanwhile. */
export async function lockAndRead(engine: Engine, id: ContainerId): Promise<{ lock: FileLock; record: ContainerRecord }> {
  const lock = await lockContainer(engine, id);
  const record = engine.containers.get(id);
  if (record) return { lock, record };
  dropLockFile(engine, id);
  lock[Symbol.dispose]();
  throw new EngineError('NO_SUCH_CONTAINER', `no container with ID ${id} found in database: no such container`);
}

/** With the container gone nobody needs its lock file. The lock is held; whoever waits for it finds a new file, and no row. */
export function dropLockFile(engine: Engine, id: ContainerId): void {
  rmSync(placesOf(engine, id).lock, { force: true });
}

const CONTAINER_LOCK = /^[0-9a-f]{64}$/;

/** Lock files whose container was never recorded, or is gone: their makers were killed in between. Costs one readdir when there is none. */
export function sweepLockFiles(engine: Engine): void {
  const ids = namesIn(join(engine.paths.run, 'locks')).filter((name) => CONTAINER_LOCK.test(name)) as ContainerId[];
  if (ids.length <= engine.containers.count()) return;
  for (const id of ids) {
    if (engine.containers.has(id)) continue;
    using lock = tryLockContainer(engine, id);
    if (lock && !engine.containers.has(id)) dropLockFile(engine, id);
  }
}

function lockPath(engine: Engine, id: ContainerId): string {
  const path = placesOf(engine, id).lock;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  return path;
}
