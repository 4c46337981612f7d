import { goTime } from '../inspect/time.ts';
import { volumeData } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { LIVE } from '../state/containers.ts';
import type { VolumeRecord } from '../state/volumes.ts';
import type { VolumeSummary } from '../summary.ts';
import { volumeTest } from './filter.ts';
import { isMountVolume } from './options.ts';

/** By name. Throws what volumeTest throws. */
export function listVolumes(engine: Engine, filters: readonly string[]): VolumeSummary[] {
  return engine.volumes
    .list()
    .filter(volumeTest(engine, filters))
    .map((volume) => summariseVolume(engine, volume));
}

export function summariseVolume(engine: Engine, volume: VolumeRecord): VolumeSummary {
  return {
    name: volume.name,
    driver: volume.driver,
    mountpoint: volumeData(engine, volume.name),
    createdAt: goTime(volume.createdMs),
    labels: volume.labels,
    options: volume.options,
    uid: volume.owner?.uid ?? 0,
    gid: volume.owner?.gid ?? 0,
    anonymous: volume.anonymous,
    mountCount: (isMountVolume(volume) ? liveUsers(engine, volume.name) : 0) + engine.volumes.mountCount(volume.name),
    needsCopyUp: volume.needsCopyUp,
    needsChown: volume.needsCopyUp && volume.owner === undefined,
    lockNumber: 0,
  };
}

/** How many containers have it mounted now. */
export function liveUsers(engine: Engine, name: string): number {
  const users = new Set(engine.volumes.users(name));
  return engine.containers.withStatus(...LIVE, 'starting').filter(({ id }) => users.has(id)).length;
}
