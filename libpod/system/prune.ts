/** `system prune`: containers at rest, then what they used. */
import type { Engine } from '../engine.ts';
import { containerTest } from '../container/filter.ts';
import { prunableContainers } from '../container/prune.ts';
import { removeContainer } from '../container/remove.ts';
import { placesOf } from '../container/places.ts';
import { splitFilters } from '../filters.ts';
import { pruneImages } from '../image/prune.ts';
import { prunableNetworks, pruneNetwork } from '../network/prune.ts';
import { prunableVolumes, pruneVolume } from '../volume/prune.ts';
import { diskUsage } from '../../storage/tree/usage.ts';

export interface PruneWish {
  /** Named images that no container uses, too. */
  readonly all: boolean;
  readonly volumes: boolean;
  readonly filters: readonly string[];
}

export interface Pruned {
  readonly pods: readonly string[];
  readonly containers: readonly string[];
  readonly networks: readonly string[];
  readonly volumes: readonly string[];
  readonly images: readonly string[];
  readonly reclaimedBytes: number;
  readonly failures: readonly unknown[];
}

/** What fails is in the result, the rest goes on. Throws INVALID_ARGUMENT (filters) before anything is removed. */
export async function pruneSystem(engine: Engine, wish: PruneWish): Promise<Pruned> {
  const failures: unknown[] = [];
  containerTest(splitFilters(wish.filters), { nowMs: Date.now(), find: (name) => engine.containers.find(name) });
  const pods = await prunePods(engine, failures);
  const containers = await pruneContainers(engine, wish.filters, failures);
  const networks = await pruneNetworks(engine, wish.filters);
  const volumes = wish.volumes ? await pruneVolumes(engine, wish.filters, failures) : { names: [], bytes: 0 };
  const images = await pruneImages(engine, { filters: wish.filters, all: wish.all });
  return {
    pods,
    containers: containers.names,
    networks,
    volumes: volumes.names,
    images: images.deleted,
    reclaimedBytes: containers.bytes + volumes.bytes + images.reclaimedBytes,
    failures: [...failures, ...images.failures],
  };
}

/** As Podman, whatever the filters are. */
async function prunePods(engine: Engine, failures: unknown[]): Promise<string[]> {
  const { prunablePods, prunePod } = await import('../pod/prune.ts');
  const ids: string[] = [];
  for (const pod of await prunablePods(engine)) {
    const failed = await prunePod(engine, pod);
    failures.push(...failed);
    if (failed.length === 0) ids.push(pod.id);
  }
  return ids;
}

interface Share {
  readonly names: readonly string[];
  readonly bytes: number;
}

async function pruneContainers(engine: Engine, filters: readonly string[], failures: unknown[]): Promise<Share> {
  const names: string[] = [];
  let bytes = 0;
  for (const { id } of await prunableContainers(engine, filters)) {
    const { sizeBytes } = diskUsage(placesOf(engine, id).upper);
    try {
      await removeContainer(engine, id, { force: false, volumes: false });
      names.push(id);
      bytes += sizeBytes;
    } catch (error) {
      failures.push(error);
    }
  }
  return { names, bytes };
}

async function pruneNetworks(engine: Engine, filters: readonly string[]): Promise<string[]> {
  const names = await Promise.all(prunableNetworks(engine, filters).map((network) => pruneNetwork(engine, network)));
  return names.filter((name) => name !== undefined);
}

async function pruneVolumes(engine: Engine, filters: readonly string[], failures: unknown[]): Promise<Share> {
  const names: string[] = [];
  let bytes = 0;
  // Volumes know no such filter; Podman passes over it.
  for (const volume of prunableVolumes(
    engine,
    filters.filter((filter) => !filter.startsWith('until=')),
  )) {
    try {
      const pruned = await pruneVolume(engine, volume);
      if (!pruned) continue;
      names.push(pruned.name);
      bytes += pruned.reclaimedBytes;
    } catch (error) {
      failures.push(error);
    }
  }
  return { names, bytes };
}
