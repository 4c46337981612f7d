/** The rows of `pod ps`. */
import type { Engine } from '../engine.ts';
import { type ContainerRecord, shownStatus } from '../state/containers.ts';
import type { PodConfig } from '../state/pods.ts';
import type { ContainerState, PodSummary } from '../summary.ts';
import { podCgroupParent } from './cgroup.ts';
import { podTest } from './filter.ts';
import { isInfra } from './life.ts';
import { membersOf, podTable } from './rows.ts';
import { podStatus } from './status.ts';

/** The newest first. Throws INVALID_ARGUMENT (filters), NO_SUCH_POD (with `latest`, where there is none). */
export async function listPods(
  engine: Engine,
  { filters, latest = false }: { readonly filters: readonly string[]; readonly latest?: boolean },
): Promise<PodSummary[]> {
  const test = podTest(filters, Date.now());
  const chosen = latest ? [podTable(engine).latest()] : podTable(engine).list().toReversed();
  const rows: PodSummary[] = [];
  for (const pod of chosen) {
    const row = summarisePod(engine, pod, await membersOf(engine, pod));
    if (latest || test(row)) rows.push(row);
  }
  return rows;
}

export function summarisePod(engine: Engine, pod: PodConfig, members: readonly ContainerRecord[]): PodSummary {
  const mode = members.find(isInfra)?.config.network.mode;
  return {
    id: pod.id,
    name: pod.name,
    createdAt: pod.createdAt,
    status: podStatus(members),
    infraId: pod.infraId ?? '',
    cgroup: podCgroupParent(engine, pod),
    labels: pod.labels,
    networks: mode?.kind === 'bridge' ? mode.networks.map(({ name }) => name) : [],
    containers: members.map(({ id, name, status, restartCount }) => ({
      id,
      name,
      state: shownStatus(status) as ContainerState,
      restarts: restartCount,
    })),
  };
}
