import type { ContainerId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { LIVE } from '../state/containers.ts';
import { containerEvent } from './event.ts';
import { lockAndRead } from './lock.ts';
import { type StartedContainer, startUnderLock } from './start.ts';
import { stopUnderLock } from './stop.ts';

/**
 * Stop the container if it runs, and start it, under one lock: nobody sees it at rest in between, and one made with --rm survives.
 * Throws NO_SUCH_CONTAINER, and what a start throws.
 */
export async function restartContainer(engine: Engine, id: ContainerId, timeoutSeconds: number | undefined): Promise<StartedContainer> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  engine.events.add(containerEvent(record, 'restart'));
  if (LIVE.includes(record.status)) await stopUnderLock(engine, record, { timeoutSeconds, keepContainer: true });
  return await startUnderLock(engine, engine.containers.get(id) ?? record, {});
}
