import { isEngineError } from '../../core/errors.ts';
import { diskUsage } from '../../storage/tree/usage.ts';
import { volumeData } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import type { VolumeRecord } from '../state/volumes.ts';
import { isUsed, volumeTest } from './filter.ts';
import { removeVolume } from './remove.ts';

export interface PrunedVolume {
  readonly name: string;
  readonly reclaimedBytes: number;
}

/** Volumes that no container uses and the filters match. Throws INVALID_ARGUMENT, NO_SUCH_VOLUME. */
export function prunableVolumes(engine: Engine, filters: readonly string[]): VolumeRecord[] {
  const test = volumeTest(engine, filters);
  return engine.volumes.list().filter((volume) => !isUsed(engine, volume) && test(volume));
}

/** Undefined when a container took it, or somebody removed it, in the meantime. */
export async function pruneVolume(engine: Engine, { name }: VolumeRecord): Promise<PrunedVolume | undefined> {
  const { sizeBytes } = diskUsage(volumeData(engine, name));
  try {
    await removeVolume(engine, name, { force: false });
  } catch (error) {
    if (isEngineError(error, 'IN_USE', 'NO_SUCH_VOLUME')) return undefined;
    throw error;
  }
  engine.events.add({ type: 'volume', status: 'prune', id: name, name });
  return { name, reclaimedBytes: sizeBytes };
}
