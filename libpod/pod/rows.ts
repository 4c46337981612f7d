import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { type PodConfig, PodTable } from '../state/pods.ts';

/** Made when asked for: commands without a pod have no use for it. */
export function podTable({ db }: Pick<Engine, 'db'>): PodTable {
  return new PodTable(db);
}

/** Of a container that is in one. */
export function podOf(engine: Engine, { config }: Pick<ContainerRecord, 'config'>): PodConfig | undefined {
  return config.pod === undefined ? undefined : podTable(engine).get(config.pod.id);
}

/** The containers of a pod as they are now, the infra container among them, the oldest first. Those that died unseen are cleaned up after. */
export async function membersOf(engine: Engine, { id }: Pick<PodConfig, 'id'>): Promise<ContainerRecord[]> {
  const { settled } = await import('../container/wait.ts');
  const members: ContainerRecord[] = [];
  for (const record of engine.containers.inPod(id)) {
    const now = await settled(engine, record);
    if (now) members.push(now);
  }
  return members;
}
