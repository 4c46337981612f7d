/**
 * A volume goes in three steps: its row says so (from then on no container may take it and no list shows it), its files go, its row goes.
 * Killed in between, the next command finishes the work.
 */
import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import { asId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import { unmountAll } from '../../host/mount.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import { volumeData, volumeDirectory } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { giveUpReserve } from '../state/reserve.ts';
import { lockVolume, tryLockVolume } from './lock.ts';

export interface RemoveVolumeOptions {
  /** Remove the containers that use it first. */
  readonly force: boolean;
  /** Seconds between their stop signal and SIGKILL; absent: the container's own. */
  readonly timeoutSeconds?: number | undefined;
}

/** By exact name. Throws NO_SUCH_VOLUME, IN_USE. */
export async function removeVolume(engine: Engine, name: string, options: RemoveVolumeOptions): Promise<void> {
  giveUpReserve(engine);
  if (options.force) await removeUsers(engine, name, options);
  using _lock = await lockVolume(engine, name);
  engine.db.transaction(() => {
    if (!engine.volumes.get(name)) throw new EngineError('NO_SUCH_VOLUME', `no volume with name "${name}" found: no such volume`);
    const users = engine.volumes.users(name);
    if (users.length > 0) {
      throw new EngineError(
        'IN_USE',
        `volume ${name} is being used by the following container(s): ${users.join(', ')}: volume is being used`,
      );
    }
    engine.volumes.markRemoving(name);
  });
  finishRemoval(engine, name);
}

/** Removals that a killed process left. Cheap when there are none. */
export function finishRemovals(engine: Engine): void {
  for (const name of engine.volumes.underRemoval()) {
    using lock = tryLockVolume(engine, name);
    if (!lock || !engine.volumes.underRemoval().includes(name)) continue;
    try {
      finishRemoval(engine, name);
    } catch (error) {
      // One volume that cannot go must not keep every command from its work.
      log.warn((error as Error).message);
    }
  }
}

/** The row says that it is being removed, and we hold the lock. What cannot be removed is a volume again, with what is left of it. */
function finishRemoval(engine: Engine, name: string): void {
  try {
    unmountAll(volumeData(engine, name));
    removeTree(volumeDirectory(engine, name));
  } catch (cause) {
    engine.db.transaction(() => engine.volumes.markRemoving(name, false));
    throw new EngineError('SYSCALL', `volume ${name} cannot be removed: ${(cause as Error).message}`, { cause });
  }
  engine.db.transaction(() => {
    engine.volumes.remove(name);
    engine.events.add({ type: 'volume', status: 'remove', id: name, name });
  });
}

async function removeUsers(engine: Engine, name: string, { timeoutSeconds }: RemoveVolumeOptions): Promise<void> {
  const users = engine.volumes.users(name).map((id) => asId<ContainerId>(id));
  if (users.length === 0) return;
  const { removeContainer } = await import('../container/remove.ts');
  for (const id of users) {
    if (engine.containers.get(id)) await removeContainer(engine, id, { force: true, volumes: false, timeoutSeconds, depend: true });
  }
}
