import { existsSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { hasHealthcheck } from '../health/check.ts';
import { shownStatus } from '../state/containers.ts';
import { containerEvent } from './event.ts';
import { lockAndRead } from './lock.ts';
import { placesOf } from './places.ts';

/** Freeze all processes of a container (cgroup v2 freezer). Throws WRONG_STATE, HELPER_FAILED. */
export async function pauseContainer(engine: Engine, id: ContainerId): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  if (record.status === 'paused') throw new EngineError('WRONG_STATE', `"${id}" is already paused: container state improper`);
  if (record.status !== 'running')
    throw new EngineError('WRONG_STATE', `"${shownStatus(record.status)}" is not running, can't pause: container state improper`);
  await (await engine.runtime(record.config)).pause(id);
  engine.db.transaction(() => {
    engine.containers.move(id, 'running', 'paused');
    engine.events.add(containerEvent(record, 'pause'));
  });
  const places = placesOf(engine, id);
  if (existsSync(places.healthTimers)) await (await import('../health/timer.ts')).endTimers(engine, places);
}

/** Throws WRONG_STATE, HELPER_FAILED. */
export async function unpauseContainer(engine: Engine, id: ContainerId): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  if (record.status !== 'paused')
    throw new EngineError('WRONG_STATE', `"${record.id}" is not paused, can't unpause: container state improper`);
  await (await engine.runtime(record.config)).resume(id);
  engine.db.transaction(() => {
    engine.containers.move(id, 'paused', 'running');
    engine.events.add(containerEvent(record, 'unpause'));
  });
  if (hasHealthcheck(record.config)) await (await import('../health/schedule.ts')).resumeChecks(engine, record, placesOf(engine, id));
}
