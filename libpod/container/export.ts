/** `export`: the root file system of a container, running or not, as one tar. */
import type { Writable } from 'node:stream';
import { exportTree, type ExportOptions } from '../../storage/tree/export.ts';
import { openFileOutput, openStreamOutput } from '../../storage/transport/output.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import { LIVE, type ContainerRecord } from '../state/containers.ts';
import { lockAndRead } from './lock.ts';
import { placesOf } from './places.ts';
import { holdRoot } from './hold.ts';

/**
 * Volumes and other mounts are not in it, owners are those that the container sees. A container that is not running is mounted for the time, and
 * held: a start waits. A file appears when it is whole.
 * Throws NO_SUCH_CONTAINER, ARCHIVE_UNSUPPORTED (the place), STORE_FULL, ABORTED.
 */
export async function exportContainer(engine: Engine, name: string, output: string | Writable, signal?: AbortSignal): Promise<void> {
  const record = engine.containers.find(name);
  const to = typeof output === 'string' ? openFileOutput(output, { replace: true, prefix: '' }) : openStreamOutput(output);
  await using owned = to;
  const options: ExportOptions = { mapIds: idsSeen(record.config), signal };
  if (LIVE.includes(record.status)) await exportTree(rootOf(engine, record), owned, options);
  else await exportStopped(engine, record, (root) => exportTree(root, owned, options));
  await owned.finish();
  engine.events.offer({ type: 'container', status: 'export', id: record.id, name: record.name, image: record.config.imageName ?? '' });
}

async function exportStopped(engine: Engine, { id }: ContainerRecord, work: (root: string) => Promise<void>): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  await using root = await holdRoot(engine, record);
  await work(root.path);
}

function rootOf(engine: Engine, { id, config }: ContainerRecord): string {
  return config.rootfs && !config.rootfs.overlay ? config.rootfs.path : placesOf(engine, id).merged;
}

/** Where the container has ids of its own, its files show the host's. */
function idsSeen({ idMap }: ContainerConfig): ExportOptions['mapIds'] {
  if (idMap === undefined) return undefined;
  const seen = (ranges: typeof idMap.uids, id: number): number => {
    const range = ranges.find(({ hostId, size }) => id >= hostId && id < hostId + size);
    return range === undefined ? id : range.containerId + id - range.hostId;
  };
  return (uid, gid) => ({ uid: seen(idMap.uids, uid), gid: seen(idMap.gids, gid) });
}
