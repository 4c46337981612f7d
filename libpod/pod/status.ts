import type { ContainerRecord } from '../state/containers.ts';
import type { PodStatus } from '../summary.ts';

/** Podman's rule. Init containers do not count: they are to have ended. */
export function podStatus(members: readonly Pick<ContainerRecord, 'status' | 'config'>[]): PodStatus {
  const statuses = members.filter(({ config }) => config.pod?.init === undefined).map(({ status }) => status);
  const count = (...wanted: readonly ContainerRecord['status'][]): number => statuses.filter((status) => wanted.includes(status)).length;
  const all = statuses.length;
  const running = count('running');
  if (all === 0) return 'Created';
  if (running === all) return 'Running';
  if (running > 0) return 'Degraded';
  if (count('exited') === all) return 'Exited';
  if (count('paused') === all) return 'Paused';
  if (count('configured', 'starting') === all) return 'Created';
  return count('initialized', 'stopping', 'removing') > 0 ? 'Error' : 'Stopped';
}
