/** Taking back a start that did not get to its end. */
import { existsSync, rmSync } from 'node:fs';
import { isEngineError } from '../../core/errors.ts';
import { isAlive, signalProcess } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';
import { LIVE, type ContainerRecord } from '../state/containers.ts';
import { giveUpReserve } from '../state/reserve.ts';
import { forgetEnd, tearDown } from './cleanup.ts';
import { placesOf } from './places.ts';
import { recordedMonitor } from './recorded.ts';

const SIGKILL = 9;

/**
 * Back to rest, with the error where there is one; a container with --rm is removed. The lock is held. The monitor's exit script still
 * runs when the monitor ends; it finds nothing owed. Idempotent.
 */
export async function undoStart(engine: Engine, record: ContainerRecord, error?: unknown): Promise<void> {
  const places = placesOf(engine, record.id);
  giveUpReserve(engine);
  rmSync(places.live, { force: true });
  const runtime = await engine.runtime(record.config).catch(() => undefined);
  await runtime?.delete(record.id).catch(() => undefined);
  const now = engine.containers.get(record.id) ?? record;
  const monitor = now.monitor ?? recordedMonitor(places);
  if (monitor && isAlive(monitor)) signalProcess(monitor, SIGKILL);
  await tearDown(engine, now, places);
  // The exit script may have been deleting when its monitor was killed.
  if (existsSync(places.runtimeState)) await runtime?.delete(record.id).catch(() => undefined);
  const change = {
    process: undefined,
    monitor: undefined,
    network: undefined,
    finishedMs: Date.now(),
    ...(error === undefined ? {} : { error: (error as Error).message, exitCode: isEngineError(error) ? (error.exitCode ?? 126) : 126 }),
  };
  engine.db.transaction(() => {
    const status = engine.containers.get(record.id)?.status;
    if (status === undefined) return;
    if (status === 'starting')
      engine.containers.move(record.id, 'starting', record.startedMs === undefined ? 'configured' : 'exited', change);
    else if (LIVE.includes(status)) engine.containers.move(record.id, [...LIVE], 'exited', change);
  });
  forgetEnd(places);
  const rest = engine.containers.get(record.id);
  if (!rest?.config.autoRemove) return;
  engine.db.transaction(() => engine.containers.move(rest.id, rest.status, 'removing'));
  const { finishRemoval } = await import('./remove.ts');
  await finishRemoval(engine, rest, { volumes: true });
}
