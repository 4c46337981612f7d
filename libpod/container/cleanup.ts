/**
 * After a container's processes are gone: streams, mounts, network and exit status are put in order, exactly once.
 *
 * Who does it: the foreground command where there is one, else the monitor's exit script starts `lichen container cleanup`, else the
 * next command that looks at the container. All go through `cleanUp` under the container's lock; `live` and the run count say whether it is owed.
 */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import { tryLockFile, type FileLock } from '../../host/flock.ts';
import { unmountAll } from '../../host/mount.ts';
import { isAlive, signalProcess, waitForEnd } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';
import { LIVE, type ContainerRecord } from '../state/containers.ts';
import { toldEvent } from '../state/events.ts';
import { giveUpReserve } from '../state/reserve.ts';
import { containerEvent } from './event.ts';
import { exitCodeFrom } from './exit-file.ts';
import { dropLockFile, lockContainer } from './lock.ts';
import { placesOf, type ContainerPlaces } from './places.ts';
import { monitorOf } from './recorded.ts';

const SIGKILL = 9;
/** The status of a container whose end nobody saw. */
const UNKNOWN_EXIT = 255;

/**
 * While held, the exit script leaves the clean-up to this process (it waits for the lock to end and then looks whether anything is owed).
 */
export function attend(engine: Engine, id: ContainerId): FileLock {
  const { attended } = placesOf(engine, id);
  mkdirSync(dirname(attended), { recursive: true, mode: 0o700 });
  const lock = tryLockFile(attended, 'shared');
  // Only the exit script locks it exclusively, for no longer than a look; then there is nothing to attend to any more.
  return lock ?? ({ [Symbol.dispose]: () => undefined } as FileLock);
}

/**
 * Clean up run number `runCount` of the container if that is still owed; resolves with the exit status.
 * The container's processes must be gone or going. Undefined when the container, or that run of it, is no more.
 */
export async function cleanUp(engine: Engine, id: ContainerId, runCount: number): Promise<number | undefined> {
  using _lock = await lockContainer(engine, id);
  const record = engine.containers.get(id);
  if (!record) {
    dropLockFile(engine, id);
    return exitCodeOf(engine, id);
  }
  if (record.runCount !== runCount || !LIVE.includes(record.status)) return record.exitCode;
  return await finishRun(engine, record);
}

export interface RunEnd {
  /** Its end was asked for: the restart policy has no say. */
  readonly isStop?: boolean;
  /** A container made with --rm stays. */
  readonly keepContainer?: boolean;
}

/** cleanUp for a caller that holds the lock and has seen that the container's processes are gone or going. */
export async function finishRun(engine: Engine, record: ContainerRecord, options: RunEnd = {}): Promise<number> {
  giveUpReserve(engine);
  const places = placesOf(engine, record.id);
  const { exitCode, finishedMs } = await exitStatus(record, places);
  const oomKilled = existsSync(join(places.run, 'oom'));
  await tearDown(engine, record, places);
  const restart = options.isStop !== true && shouldRestart(record, exitCode);
  if (record.config.autoRemove && !restart && !options.keepContainer) {
    // They need the bundle.
    if (existsSync(places.poststop)) await awaitExitScript(engine, record);
    engine.db.transaction(() => {
      engine.containers.move(record.id, [...LIVE], 'removing', { exitCode, finishedMs });
      engine.events.add(containerEvent(record, 'died', { exitCode }));
      keepExitCode(engine, record.id, exitCode);
    });
    await tellReaders(engine, record, exitCode);
    const { erase } = await import('./remove.ts');
    await erase(engine, record, { volumes: true, events: [containerEvent(record, 'remove')] });
    if (record.config.removeImage) await removeImageOf(engine, record);
    await tellPod(engine, record);
    return exitCode;
  }
  engine.db.transaction(() => {
    engine.containers.move(record.id, [...LIVE], 'exited', {
      process: undefined,
      monitor: undefined,
      network: undefined,
      exitCode,
      finishedMs,
      oomKilled,
      ...(restart ? { restartCount: record.restartCount + 1 } : {}),
    });
    engine.events.add(containerEvent(record, 'died', { exitCode }));
    keepExitCode(engine, record.id, exitCode);
    if (!restart && !options.keepContainer) engine.events.add(containerEvent(record, 'cleanup'));
  });
  await tellReaders(engine, record, exitCode);
  forgetEnd(places);
  if (!restart && !options.keepContainer) await tellPod(engine, record);
  if (restart) {
    const { startUnderLock } = await import('./start.ts');
    await startUnderLock(engine, engine.containers.get(record.id)!, {});
  }
  return exitCode;
}

async function tellPod(engine: Engine, { config: { pod } }: ContainerRecord): Promise<void> {
  if (pod === undefined || pod.isInfra === true || pod.init !== undefined) return;
  const { stopIfLast } = await import('../pod/exit-policy.ts');
  await stopIfLast(engine, pod.id);
}

/** Whoever reads the log from the journal waits for the end to be told there, even where events are kept elsewhere. */
async function tellReaders(engine: Engine, record: ContainerRecord, exitCode: number): Promise<void> {
  if (record.config.log.driver !== 'journald' || engine.eventsBackend === 'journald') return;
  const { journalTeller } = await import('../event/tell.ts');
  journalTeller(engine.paths.store)(toldEvent(containerEvent(record, 'died', { exitCode })));
}

/** `--rmi`. Where others use the image it stays, and that is no failure of the container's. */
async function removeImageOf(engine: Engine, { config: { imageId, imageName } }: ContainerRecord): Promise<void> {
  if (imageId === undefined) return;
  const { removeImages } = await import('../image/remove.ts');
  const { failures } = await removeImages(engine, [imageName ?? imageId], { force: false, keepParents: false, ignoreMissing: true });
  for (const error of failures) log.warn(`the image stays: ${(error as Error).message}`);
}

/** Everything a run made outside of the database. Idempotent: a killed clean-up is simply done again. */
export async function tearDown(engine: Engine, record: ContainerRecord, places: ContainerPlaces): Promise<void> {
  if (existsSync(places.healthTimers)) {
    const { endTimers } = await import('../health/timer.ts');
    await endTimers(engine, places);
  }
  const { clearNamespace, teardownAttachment } = await import('../../network/teardown.ts');
  if (record.network) await teardownAttachment(record.network);
  if (record.network?.bridge) await (await import('../network/attach.ts')).detachNetworks(engine, record.id, record.network);
  clearNamespace(places.netns);
  unmountAll(places.shm);
  if (record.config.mounts.some((mount) => mount.type === 'image')) {
    const { unmountImageVolumes } = await import('../image/volume.ts');
    await unmountImageVolumes(engine, record);
  }
  if (record.config.mounts.some(({ options }) => options.includes('O'))) {
    const { unmountOverlaid } = await import('./overlaid.ts');
    await unmountOverlaid(engine, record);
  }
  const { unmountRoot } = await import('./rootfs.ts');
  await unmountRoot(engine, record, places);
  if (record.config.mounts.some((mount) => mount.type === 'volume')) {
    const { unmountVolumesOf } = await import('../volume/mount.ts');
    await unmountVolumesOf(engine, record.id);
  }
}

/** How the run ended is in its row now. Not before: a clean-up that is killed and done again must find it out once more. */
export function forgetEnd(places: ContainerPlaces): void {
  rmSync(places.exitFile, { force: true });
  rmSync(places.live, { force: true });
}

/** Let a previous run's exit script finish with the runtime, so that its `delete` cannot hit the run that follows. */
export async function awaitExitScript(engine: Engine, record: ContainerRecord): Promise<void> {
  const places = placesOf(engine, record.id);
  while (isFilled(places.exiting) && monitorOf(record, places) !== undefined) await sleep(1);
}

function isFilled(path: string): boolean {
  return (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

async function exitStatus(record: ContainerRecord, places: ContainerPlaces): Promise<{ exitCode: number; finishedMs: number }> {
  const written = readExitFile(places);
  if (written) return written;
  if (record.monitor && isAlive(record.monitor)) {
    // The container is gone and its monitor is about to say how; or it is stuck, and ends with us.
    for (let waited = 0; waited < 5000; waited += 2) {
      const late = readExitFile(places);
      if (late) return late;
      if (!isAlive(record.monitor)) break;
      await sleep(2);
    }
    signalProcess(record.monitor, SIGKILL);
  }
  if (record.process && signalProcess(record.process, SIGKILL)) await waitForEnd(record.process, 5000);
  const last = readExitFile(places);
  if (last) return last;
  log.warn(`the exit status of container ${record.name} is not known: its monitor was killed`);
  return { exitCode: UNKNOWN_EXIT, finishedMs: Date.now() };
}

function readExitFile(places: ContainerPlaces): { exitCode: number; finishedMs: number } | undefined {
  const exitCode = exitCodeFrom(places.exitFile);
  return exitCode === undefined ? undefined : { exitCode, finishedMs: Math.round(statSync(places.exitFile).mtimeMs) };
}

function shouldRestart(record: ContainerRecord, exitCode: number): boolean {
  const { name, maxRetries } = record.config.restart;
  if (record.stoppedByUser || name === 'no') return false;
  if (name === 'always' || name === 'unless-stopped') return true;
  return exitCode !== 0 && (maxRetries === undefined || maxRetries === 0 || record.restartCount < maxRetries);
}

const EXIT_CODES_KEPT_MS = 5 * 60_000;

function keepExitCode(engine: Engine, id: ContainerId, code: number): void {
  const now = Date.now();
  engine.db.run('INSERT OR REPLACE INTO exit_codes (id, code, at_ms) VALUES (?, ?, ?)', id, code, now);
  engine.db.run('DELETE FROM exit_codes WHERE at_ms < ? AND id NOT IN (SELECT id FROM containers)', now - EXIT_CODES_KEPT_MS);
}

/** Kept for a while after the container is removed, for whoever waits for it. */
export function exitCodeOf(engine: Engine, id: ContainerId): number | undefined {
  const row = engine.db.get('SELECT code FROM exit_codes WHERE id = ?', id);
  return row === undefined ? undefined : Number(row['code']);
}
