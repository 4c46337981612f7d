import type { Engine } from '../engine.ts';
import type { PodConfig } from '../state/pods.ts';
import type { PodFailures } from './life.ts';
import { removePod } from './remove.ts';
import { membersOf, podTable } from './rows.ts';
import { podStatus } from './status.ts';

/** Pods that have run and do not any more. */
export async function prunablePods(engine: Engine): Promise<PodConfig[]> {
  const ended: PodConfig[] = [];
  for (const pod of podTable(engine).list()) {
    const status = podStatus(await membersOf(engine, pod));
    if (status === 'Exited' || status === 'Stopped') ended.push(pod);
  }
  return ended;
}

/** Without force: one that was started in the meantime stays. */
export function prunePod(engine: Engine, pod: PodConfig): Promise<PodFailures> {
  return removePod(engine, pod, { force: false });
}
