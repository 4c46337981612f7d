/** Namespaces and id maps of a container (config-linux.md#namespaces). */
import type { ContainerConfig, StartFacts } from './container.ts';
import type { IdRange } from './wish.ts';
import type { OciIdMapping, OciNamespace } from './oci-types.ts';

type Facts = Pick<StartFacts, 'netns' | 'joined'>;

/** In Podman's order. A namespace that is not listed is the caller's own, which is what `host` means. */
export function namespaces(config: ContainerConfig, facts: Facts): OciNamespace[] {
  const { pid, ipc, uts, cgroup } = config.namespaces;
  return [
    ...namespace('pid', pid, facts.joined.pid),
    ...network(config, facts),
    ...namespace('ipc', ipc, facts.joined.ipc),
    ...namespace('uts', uts, facts.joined.uts),
    { type: 'mount' },
    ...userNamespace(config, facts.joined.user),
    ...namespace('cgroup', cgroup, facts.joined.cgroup),
  ];
}

/** Ranges are cut at the boundaries. */
export function ociIdMap(ranges: readonly IdRange[], boundaries: readonly number[] = []): OciIdMapping[] {
  return ranges.flatMap(({ containerId, hostId, size }) => {
    const starts = [hostId, ...boundaries.filter((boundary) => boundary > hostId && boundary < hostId + size).toSorted((a, b) => a - b)];
    return starts.map((start, index) => ({
      containerID: containerId + (start - hostId),
      hostID: start,
      size: (starts[index + 1] ?? hostId + size) - start,
    }));
  });
}

/** Whether the container has an id: its own map decides, without one how many ids lichen itself has. */
export function hasId(ranges: readonly IdRange[] | undefined, available: number, id: number): boolean {
  return ranges ? ranges.some(({ containerId, size }) => id >= containerId && id < containerId + size) : id < available;
}

/** True where the container runs in a network namespace other than the host's. */
export function ownsNetwork(config: ContainerConfig): boolean {
  return config.network.mode.kind !== 'host';
}

interface Mode {
  readonly kind: string;
  readonly path?: string;
}

function namespace(type: OciNamespace['type'], mode: Mode, joined: string | undefined): OciNamespace[] {
  if (mode.kind === 'host') return [];
  const path = mode.kind === 'path' ? mode.path : joined;
  if (mode.kind === 'container' && path === undefined) throw new Error(`the ${type} namespace to join was not resolved`);
  return [path === undefined ? { type } : { type, path }];
}

function network(config: ContainerConfig, facts: Facts): OciNamespace[] {
  const { mode } = config.network;
  if (mode.kind === 'host') return [];
  if (mode.kind === 'path') return [{ type: 'network', path: mode.path }];
  return [facts.netns === undefined ? { type: 'network' } : { type: 'network', path: facts.netns }];
}

/** One of its own always comes with a map. Whoever shares one with a container that has none is in lichen's, which cannot be joined a second time. */
function userNamespace({ idMap, namespaces: { user } }: ContainerConfig, joined: string | undefined): OciNamespace[] {
  if (user.kind === 'container') return joined === undefined ? [] : [{ type: 'user', path: joined }];
  if (user.kind === 'path') return [{ type: 'user', path: user.path }];
  return idMap === undefined ? [] : [{ type: 'user' }];
}
