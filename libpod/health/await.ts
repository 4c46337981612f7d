/** `--sdnotify healthy`: whoever starts such a container is back when it is healthy. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import { isAlive } from '../../host/pid.ts';
import { tellHealthy } from '../container/readiness.ts';
import { serviceManager } from '../container/start.ts';
import type { Engine } from '../engine.ts';
import { type ContainerRecord, LIVE } from '../state/containers.ts';

const LOOK_EVERY_MS = 50;

/**
 * Wait, for ever if need be, until this run of the container has passed its startup checks and is healthy. Its lock must not be held: what
 * follows from a failed check takes it. A service manager is told. Throws WRONG_STATE when the run ends before, ABORTED.
 */
export async function awaitHealthy(engine: Engine, id: ContainerId, runCount: number, signal?: AbortSignal): Promise<void> {
  for (;;) {
    const record = engine.containers.get(id);
    if (record === undefined || record.runCount !== runCount) throw stopped();
    if (isHealthy(record)) return tellManager(engine, record);
    if (!isUp(record)) throw stopped();
    await sleep(LOOK_EVERY_MS, undefined, { signal });
  }
}

function tellManager(engine: Engine, { config }: ContainerRecord): void {
  const socket = serviceManager(engine, config);
  if (socket !== undefined) tellHealthy(socket);
}

function isHealthy({ health }: ContainerRecord): boolean {
  return health?.status === 'healthy' && health.startup === undefined;
}

/** A monitor that was killed does not say that its container has ended. */
function isUp({ status, process, monitor }: ContainerRecord): boolean {
  return LIVE.includes(status) && [process, monitor].some((one) => one !== undefined && isAlive(one));
}

function stopped(): EngineError {
  return new EngineError('WRONG_STATE', 'container is stopped');
}
