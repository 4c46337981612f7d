/** Volumes that are mounts themselves (`--opt type=tmpfs,device=…`): mounted while a container that uses them runs. */
import { join } from 'node:path';
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import { bindMount, isMountPoint, mount, mountOptionsAt, MS, unmountAll } from '../../host/mount.ts';
import { volumeData, volumeDirectory } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { LIVE } from '../state/containers.ts';
import type { VolumeRecord } from '../state/volumes.ts';
import { lockVolume } from './lock.ts';
import { isMountVolume } from './options.ts';

/** Its directory is there. Idempotent; a volume without mount options is left alone. Throws HELPER_FAILED with mount(2)'s complaint. */
export async function mountVolume(engine: Engine, volume: VolumeRecord): Promise<void> {
  if (!isMountVolume(volume)) return;
  using _lock = await lockVolume(engine, volume.name);
  await mountUnderLock(engine, volume);
}

async function mountUnderLock(engine: Engine, volume: VolumeRecord): Promise<void> {
  const target = volumeData(engine, volume.name);
  if (isMountPoint(target)) return;
  if (volume.driver === 'image') return mountImage(engine, volume, target);
  const { type = 'none', device = type, o = '' } = volume.options;
  const { flags, data, bind } = parseMountOptions(o);
  try {
    if (bind !== undefined || type === 'bind') bindWith(device, target, flags, bind === 'rbind');
    else mount(device, target, type, flags, data);
  } catch (error) {
    if (!isEngineError(error, 'SYSCALL')) throw error;
    throw new EngineError('HELPER_FAILED', `mounting volume ${volume.name}: ${error.message}`, { cause: error });
  }
}

/** Unmount the volumes of a container that has ended, where no other one that runs has them. */
export async function unmountVolumesOf(engine: Engine, container: ContainerId): Promise<void> {
  for (const volume of engine.volumes.usedBy(container)) {
    if (!isMountVolume(volume)) continue;
    using _lock = await lockVolume(engine, volume.name);
    unmountUnlessUsed(engine, volume, container);
  }
}

/** `volume mount`: stays mounted until as many `volume unmount`. Resolves with the directory. */
export async function mountForUser(engine: Engine, volume: VolumeRecord): Promise<string> {
  if (isMountVolume(volume)) {
    using _lock = await lockVolume(engine, volume.name);
    await mountUnderLock(engine, volume);
    engine.volumes.countMount(volume.name, 1);
  }
  return volumeData(engine, volume.name);
}

/** Idempotent; a volume that containers use, or another mounted, stays mounted. */
export async function unmountForUser(engine: Engine, volume: VolumeRecord): Promise<void> {
  if (!isMountVolume(volume)) return;
  using _lock = await lockVolume(engine, volume.name);
  engine.volumes.countMount(volume.name, -1);
  unmountUnlessUsed(engine, volume);
}

/** What the volume holds is there while `work` goes on. */
export async function useMounted<T>(engine: Engine, volume: VolumeRecord, work: () => Promise<T>): Promise<T> {
  if (!isMountVolume(volume)) return work();
  // Held all the while: nobody mounts, unmounts or removes it meanwhile.
  using _lock = await lockVolume(engine, volume.name);
  await mountUnderLock(engine, volume);
  try {
    return await work();
  } finally {
    unmountUnlessUsed(engine, volume);
  }
}

function unmountUnlessUsed(engine: Engine, { name }: VolumeRecord, except?: ContainerId): void {
  const users = new Set(engine.volumes.users(name));
  const live = engine.containers.withStatus(...LIVE, 'starting').some(({ id }) => id !== except && users.has(id));
  if (!live && engine.volumes.mountCount(name) === 0) unmountAll(volumeData(engine, name));
}

/** The tree of the image, with changes that stay with the volume. */
async function mountImage(engine: Engine, volume: VolumeRecord, target: string): Promise<void> {
  const image = volume.imageId === undefined ? undefined : engine.images.byId(volume.imageId);
  if (!image) throw new EngineError('NO_SUCH_IMAGE', `volume ${volume.name}: ${volume.options['image'] ?? ''}: image not known`);
  const [driver, layers] = await Promise.all([engine.driver(), engine.layers()]);
  const base = volumeDirectory(engine, volume.name);
  await driver.mount({ lowers: layers.lowerDirs(image.layers), upper: join(base, 'upper'), work: join(base, 'work'), merged: target });
}

/** Flags of the volume's own mount that a bind of it would lose: the runtime mounts it anew in the container. */
export function ownFlags(engine: Engine, name: string): readonly string[] {
  const words = engine.volumes.get(name)?.options['o']?.split(',') ?? [];
  return words.includes('ro') ? ['ro'] : [];
}

const FLAGS: Readonly<Record<string, number>> = {
  ro: MS.RDONLY,
  nosuid: MS.NOSUID,
  nodev: MS.NODEV,
  noexec: MS.NOEXEC,
  noatime: MS.NOATIME,
};
/** What the kernel does anyway, and what only says how the volume is used. */
const SILENT = ['rw', 'suid', 'dev', 'exec', 'defaults', 'copy', 'nocopy', 'noquota'];

interface MountOptions {
  readonly flags: number;
  readonly data: string | null;
  readonly bind: 'bind' | 'rbind' | undefined;
}

/** mount(8) words apart: flags of mount(2), a bind, and the rest for the file system. */
function parseMountOptions(text: string): MountOptions {
  const words = text.split(',').filter((word) => word !== '' && !SILENT.includes(word));
  const rest = words.filter((word) => !(word in FLAGS) && word !== 'bind' && word !== 'rbind');
  return {
    flags: words.reduce((sum, word) => sum | (FLAGS[word] ?? 0), 0),
    data: rest.length > 0 ? rest.join(',') : null,
    bind: words.includes('rbind') ? 'rbind' : words.includes('bind') ? 'bind' : undefined,
  };
}

/** A bind takes its flags only in a second step, which must keep those of the file system below it (mount_namespaces(7)). */
function bindWith(source: string, target: string, flags: number, recursive: boolean): void {
  bindMount(source, target, { recursive });
  if (flags === 0) return;
  const kept = mountOptionsAt(source).reduce((sum, word) => sum | (FLAGS[word] ?? 0), 0);
  mount('none', target, null, MS.BIND | MS.REMOUNT | flags | kept);
}
