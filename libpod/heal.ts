/** What a killed lichen or a reboot left, put in order before a command looks at it. A few small queries when there is nothing to do. */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { namesIn } from '../host/if-there.ts';
import { lockFile } from '../host/flock.ts';
import type { ContainerId } from '../core/id.ts';
import { log } from '../core/log.ts';
import { noteBoot, readBootNote } from './boot/note.ts';
import { dropLockFile, sweepLockFiles, tryLockContainer } from './container/lock.ts';
import type { Engine } from './engine.ts';
import { LIVE } from './state/containers.ts';
import { giveUpReserve } from './state/reserve.ts';

const LOCK_TIMEOUT_MS = 120_000;

export async function heal(engine: Engine): Promise<void> {
  const { isNewBoot, isStartDue } = readBootNote(engine.db);
  const isDue = isNewBoot ? await afterBoot(engine) : isStartDue;
  for (const id of engine.containers.underWay()) await tryFinishOrUndo(engine, id);
  sweepLockFiles(engine);
  await healBegunNetworks(engine);
  if (existsSync(join(engine.paths.run, 'networks', 'shared.json'))) await (await import('./network/heal.ts')).healNetworks(engine);
  if (namesIn(join(engine.paths.run, 'held')).length > 0) await (await import('./container/hold.ts')).healHeld(engine);
  if (namesIn(join(engine.paths.run, 'builds')).length > 0) await (await import('./build/heal.ts')).healBuilds(engine);
  await healStagingDirectories(engine);
  await healMounts(engine);
  if (engine.volumes.underRemoval().length > 0) (await import('./volume/remove.ts')).finishRemovals(engine);
  if (isDue) await (await import('./boot/due.ts')).startDue(engine);
}

/** One that resists (a full disk, a runtime that is gone) is in nobody else's way: the next command tries again. */
async function tryFinishOrUndo(engine: Engine, id: ContainerId): Promise<void> {
  try {
    await finishOrUndo(engine, id);
  } catch (error) {
    log.warn(`a killed command left container ${id} half done, and it cannot be put in order: ${(error as Error).message}`);
  }
}

/** A container under way whose lock is free was left by a killed process. */
async function finishOrUndo(engine: Engine, id: ContainerId): Promise<void> {
  using lock = tryLockContainer(engine, id);
  if (!lock) return;
  const record = engine.containers.get(id);
  if (!record) return dropLockFile(engine, id);
  giveUpReserve(engine);
  log.debug(() => `container ${record.name} was left ${record.status}; putting it in order`);
  const { undoStart } = await import('./container/undo.ts');
  switch (record.status) {
    case 'removing': {
      const { finishRemoval } = await import('./container/remove.ts');
      await finishRemoval(engine, record, { volumes: false });
      return;
    }
    case 'stopping': {
      const { stopUnderLock } = await import('./container/stop.ts');
      await stopUnderLock(engine, record, { timeoutSeconds: 0 });
      return;
    }
    case 'starting': {
      const { endStrays } = await import('./container/strays.ts');
      await endStrays(engine, record.id);
      await undoStart(engine, record);
      return;
    }
    default:
  }
}

/** What `mount` and `image mount` count, against what is mounted. */
async function healMounts(engine: Engine): Promise<void> {
  if (engine.mounts.isEmpty() && !existsSync(join(engine.paths.store, 'mounts'))) return;
  const [{ healImageMounts }, { healContainerMounts }] = await Promise.all([import('./image/mount.ts'), import('./container/mount.ts')]);
  await healImageMounts(engine);
  healContainerMounts(engine);
}

async function healBegunNetworks(engine: Engine): Promise<void> {
  const directory = join(engine.paths.run, 'netns');
  if (!namesIn(directory).some((name) => name.endsWith('.begun'))) return;
  const { endForsaken } = await import('../network/early.ts');
  await endForsaken(directory);
}

/** What copies and probes that were killed had in the making. */
async function healStagingDirectories(engine: Engine): Promise<void> {
  const directory = join(engine.paths.store, 'tmp');
  if (namesIn(directory).length === 0) return;
  const { healStaging } = await import('../storage/layer/staging.ts');
  healStaging(directory);
}

/**
 * Processes, mounts and the run directory are gone with the old boot: rows that say otherwise are put to rest. True if some are to run again.
 * Another first command may have done it meanwhile, and be starting them.
 */
async function afterBoot(engine: Engine): Promise<boolean> {
  using _lock = await lockFile(join(engine.paths.run, 'boot'), { timeoutMs: LOCK_TIMEOUT_MS });
  const now = readBootNote(engine.db);
  if (!now.isNewBoot) return now.isStartDue;
  const stale = engine.containers.withStatus(...LIVE, 'starting');
  const { startsOnBoot } = await import('./container/filter.ts');
  const isDue = engine.containers.list().some(startsOnBoot);
  engine.db.transaction(() => {
    for (const record of stale) {
      const rest = record.startedMs === undefined ? 'configured' : 'exited';
      engine.db.run(
        'UPDATE containers SET status = ?, pid = NULL, pid_start = NULL, monitor_pid = NULL, monitor_start = NULL, network = NULL WHERE id = ?',
        rest,
        record.id,
      );
    }
    engine.volumes.forgetMounts();
    noteBoot(engine.db, isDue);
    engine.events.add({ type: 'system', status: 'refresh', id: '', name: '' });
  });
  // A run directory that is no tmpfs outlives the boot.
  for (const name of ['builds', 'c', 'exits', 'netns', 'netns-begin', 'networks', 'held', 'locks', 'oci', 'pods'])
    rmSync(join(engine.paths.run, name), { recursive: true, force: true });
  for (const record of stale) {
    if (!record.config.autoRemove) continue;
    const { removeContainer } = await import('./container/remove.ts');
    await removeContainer(engine, record.id, { force: true, volumes: true });
  }
  return isDue;
}
