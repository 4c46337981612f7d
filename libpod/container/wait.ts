import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import { isAlive, waitForEnd } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';
import { hasHealthcheck } from '../health/check.ts';
import { LIVE, type ContainerRecord, type ContainerStatus } from '../state/containers.ts';
import { cleanUp, exitCodeOf } from './cleanup.ts';

export type WaitCondition = ContainerStatus | 'stopped' | 'removed' | 'healthy' | 'unhealthy';

/** How long a dead container may go without a clean-up before the waiter does it himself. */
const GRACE_MS = 2000;

/**
 * Wait until the container is in one of the states, looking every `intervalMs`; the exit status, or -1 while it never ran.
 * A container that is removed while we wait answers with its last status. Throws NO_SUCH_CONTAINER when it is not there at all.
 */
export async function waitForContainer(
  engine: Engine,
  id: ContainerId,
  conditions: readonly WaitCondition[],
  intervalMs: number,
): Promise<number> {
  const wantsHealth = conditions.find((condition) => condition === 'healthy' || condition === 'unhealthy');
  let seen = false;
  for (;;) {
    const record = engine.containers.get(id);
    if (!record) {
      const code = exitCodeOf(engine, id);
      if (code !== undefined) return code;
      if (seen) return -1;
      throw new EngineError('NO_SUCH_CONTAINER', `no container with name or ID "${id}" found: no such container`);
    }
    seen = true;
    if (wantsHealth !== undefined && !hasHealthcheck(record.config)) {
      throw new EngineError('WRONG_STATE', `cannot use condition ${JSON.stringify(wantsHealth)}: container ${id} has no healthcheck`);
    }
    const met = conditions.find((condition) => meets(record, condition));
    // One that never ran is stopped, with nothing to complain of.
    if (met !== undefined) return record.exitCode ?? (met === 'stopped' ? 0 : -1);
    await next(engine, record, intervalMs);
  }
}

/** Sleep until something may have changed. A container whose processes are gone and that nobody cleans up is cleaned up here. */
async function next(engine: Engine, record: ContainerRecord, intervalMs: number): Promise<void> {
  if (!record.process || !LIVE.includes(record.status)) {
    await sleep(intervalMs);
    return;
  }
  if (!(await waitForEnd(record.process, intervalMs))) return;
  for (let waited = 0; waited < GRACE_MS; waited += 10) {
    const now = engine.containers.get(record.id);
    if (!now || now.runCount !== record.runCount || !LIVE.includes(now.status)) return;
    await sleep(10);
  }
  await cleanUp(engine, record.id, record.runCount);
}

/**
 * The record as it is now, where the row may be behind: a container whose processes died without a clean-up (its exit script was killed)
 * is cleaned up first. Cheap for one that is alive.
 */
export async function settled(engine: Engine, record: ContainerRecord): Promise<ContainerRecord | undefined> {
  if (!LIVE.includes(record.status) || (record.process && isAlive(record.process))) return record;
  await cleanUp(engine, record.id, record.runCount);
  return engine.containers.get(record.id);
}

function meets(record: ContainerRecord, condition: WaitCondition): boolean {
  switch (condition) {
    case 'removed':
      return false;
    case 'healthy':
    case 'unhealthy':
      return record.health?.status === condition;
    case 'stopped':
      return record.status === 'exited' || record.status === 'configured';
    default:
      return record.status === condition;
  }
}
