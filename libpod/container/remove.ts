import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { LIVE, shownStatus, type ContainerRecord } from '../state/containers.ts';
import type { NewEvent } from '../state/events.ts';
import { giveUpReserve } from '../state/reserve.ts';
import { awaitExitScript, forgetEnd, tearDown } from './cleanup.ts';
import { containerEvent } from './event.ts';
import { dropLockFile, lockAndRead } from './lock.ts';
import { placesOf, volumeDirectory } from './places.ts';
import { deleteFromRuntime } from './runtime-state.ts';
import { stopUnderLock } from './stop.ts';

export interface RemoveOptions {
  /** Stop a running one first, and go on where parts are missing. */
  readonly force: boolean;
  /** Remove its anonymous volumes too. */
  readonly volumes: boolean;
  /** Seconds between the stop signal and SIGKILL with `force`; absent: the container's own. */
  readonly timeoutSeconds?: number | undefined;
  /** Remove the containers that depend on it first. */
  readonly depend?: boolean;
  /** Its pod is being removed: else an infra container stays. */
  readonly withPod?: boolean;
}

/** Remove a container; a killed removal is finished by the next command. Throws NO_SUCH_CONTAINER, WRONG_STATE (running, not forced), IN_USE (others depend on it, or it is a pod's infra container). */
export async function removeContainer(engine: Engine, id: ContainerId, options: RemoveOptions): Promise<void> {
  if (!options.withPod) refuseInfra(engine, id);
  await removeDependants(engine, id, options);
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  await removeUnderLock(engine, record, options);
}

async function removeUnderLock(engine: Engine, given: ContainerRecord, options: RemoveOptions): Promise<void> {
  giveUpReserve(engine);
  let record = given;
  if (LIVE.includes(record.status)) {
    if (!options.force && record.status !== 'initialized') {
      throw new EngineError(
        'WRONG_STATE',
        `cannot remove container ${record.id} as it is ${shownStatus(record.status)} - running or paused containers cannot be removed without force: container state improper`,
        { hint: 'Stop it first, or use --force.' },
      );
    }
    await stopUnderLock(engine, record, { timeoutSeconds: options.timeoutSeconds });
    const stopped = engine.containers.get(record.id);
    if (!stopped) return;
    record = stopped;
  }
  if (record.status !== 'removing') engine.db.transaction(() => engine.containers.move(record.id, record.status, 'removing'));
  await finishRemoval(engine, record, { volumes: options.volumes });
}

/** The rest of a removal whose row says `removing`; the lock is held. */
export async function finishRemoval(engine: Engine, record: ContainerRecord, options: { volumes: boolean }): Promise<void> {
  await awaitExitScript(engine, record);
  await tearDown(engine, record, placesOf(engine, record.id));
  await erase(engine, record, { volumes: options.volumes || record.config.autoRemove, events: [containerEvent(record, 'remove')] });
}

/**
 * Files first, rows last: killed in between, the row is still there and the next command does it again.
 * The container is at rest, torn down, and locked by us.
 */
export async function erase(
  engine: Engine,
  record: ContainerRecord,
  options: { volumes: boolean; events: readonly NewEvent[] },
): Promise<void> {
  const anonymous = options.volumes
    ? engine.volumes.usedBy(record.id).filter((volume) => volume.anonymous && engine.volumes.users(volume.name).length === 1)
    : [];
  const [{ removeTree }, { detachRoot }] = await Promise.all([import('../../storage/tree/remove.ts'), import('./rootfs.ts')]);
  await deleteFromRuntime(engine, record);
  const places = placesOf(engine, record.id);
  if (engine.mounts.count('container', record.id) > 0) await detachRoot(engine, record, places);
  removeTree(places.directory);
  removeTree(places.run);
  forgetEnd(places);
  if (record.config.idFile !== undefined) (await import('./id-file.ts')).forgetIdFile(record.config.idFile, record.id);
  for (const volume of anonymous) removeTree(volumeDirectory(engine, volume.name));
  engine.db.transaction(() => {
    for (const event of options.events) engine.events.add(event);
    engine.mounts.forget('container', record.id);
    engine.containers.remove(record.id);
    for (const volume of anonymous) engine.volumes.remove(volume.name);
  });
  dropLockFile(engine, record.id);
}

function refuseInfra(engine: Engine, id: ContainerId): void {
  const pod = engine.containers.get(id)?.config.pod;
  if (pod?.isInfra !== true) return;
  throw new EngineError(
    'IN_USE',
    `container ${id} is the infra container of pod ${pod.id} and cannot be removed without removing the pod`,
    {
      hint: `Remove the pod: lichen pod rm ${pod.name}`,
    },
  );
}

async function removeDependants(engine: Engine, id: ContainerId, options: RemoveOptions): Promise<void> {
  const dependants = engine.containers.dependants(id);
  if (dependants.length === 0) return;
  if (!options.depend) {
    throw new EngineError(
      'IN_USE',
      `container ${id} has dependent containers which must be removed before it: ${dependants.join(', ')}: container already exists`,
      { hint: 'Use --depend to remove them too.' },
    );
  }
  for (const dependant of dependants) await removeContainer(engine, dependant, options);
}
