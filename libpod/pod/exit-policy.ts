import { log } from '../../core/log.ts';
import type { PodId } from '../../core/id.ts';
import { stopContainer } from '../container/stop.ts';
import type { Engine } from '../engine.ts';
import { LIVE } from '../state/containers.ts';
import { isInfra } from './life.ts';
import { podTable } from './rows.ts';

/** After the end of one of its containers: a pod with the exit policy `stop` needs its infra container no more when that was the last. */
export async function stopIfLast(engine: Engine, id: PodId): Promise<void> {
  const pod = podTable(engine).get(id);
  if (pod?.exitPolicy !== 'stop' || pod.infraId === undefined) return;
  const members = engine.containers.inPod(id);
  const infra = members.find(isInfra);
  const isNeeded = members.some((record) => !isInfra(record) && (record.status === 'starting' || LIVE.includes(record.status)));
  if (infra === undefined || isNeeded || !LIVE.includes(infra.status)) return;
  try {
    await stopContainer(engine, infra.id);
  } catch (error) {
    log.warn(`the infra container of pod ${pod.name} runs on: ${(error as Error).message}`);
  }
}
