/** `volume inspect`: Podman's document, field by field and in its order. Pure. */
import type { JsonObject } from '../../core/json.ts';
import type { VolumeRecord } from '../state/volumes.ts';
import { sorted } from './sorted.ts';
import { goTime } from './time.ts';

export interface VolumeInspectFacts {
  readonly mountpoint: string;
  /** How many running containers have it mounted, for volumes that are mounts themselves. */
  readonly mountCount: number;
}

export function inspectVolume(volume: VolumeRecord, facts: VolumeInspectFacts): JsonObject {
  return {
    Name: volume.name,
    Driver: volume.driver,
    Mountpoint: facts.mountpoint,
    CreatedAt: goTime(volume.createdMs),
    Labels: sorted(volume.labels),
    Scope: 'local',
    Options: sorted(volume.options),
    ...(volume.owner && volume.owner.uid !== 0 && { UID: volume.owner.uid }),
    ...(volume.owner && volume.owner.gid !== 0 && { GID: volume.owner.gid }),
    ...(volume.anonymous && { Anonymous: true }),
    MountCount: facts.mountCount,
    ...(volume.needsCopyUp && { NeedsCopyUp: true }),
    // A volume that is still to be filled also still has to get its owner, unless it was told.
    ...(volume.needsCopyUp && !volume.owner && { NeedsChown: true }),
    LockNumber: 0,
  };
}
