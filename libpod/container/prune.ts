import type { Engine } from '../engine.ts';
import { refuseBareFilters, splitFilters } from '../filters.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { containerTest, PRUNE_KEYS } from './filter.ts';
import { settled } from './wait.ts';

/** Containers at rest that are in no pod and that the filters match, the newest first, so that those which depend on others come before them. Throws INVALID_ARGUMENT. */
export async function prunableContainers(engine: Engine, filters: readonly string[]): Promise<ContainerRecord[]> {
  refuseBareFilters(filters);
  const test = containerTest(splitFilters(filters), { nowMs: Date.now(), find: (name) => engine.containers.find(name) }, PRUNE_KEYS);
  const prunable: ContainerRecord[] = [];
  for (const record of engine.containers.list().toReversed()) {
    if (record.config.pod !== undefined) continue;
    const now = await settled(engine, record);
    if (now && (now.status === 'configured' || now.status === 'exited') && test(now)) prunable.push(now);
  }
  return prunable;
}
