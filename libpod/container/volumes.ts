/** A container's mounts made ready: named volumes filled and resolved to directories, image mounts mounted, `U` carried out. */
import { chmodSync, chownSync, closeSync, constants, existsSync, fstatSync, mkdirSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { errnoOf } from '../../host/libc.ts';
import { lockFile } from '../../host/flock.ts';
import { descriptorPath, Root } from '../../host/root.ts';
import type { Engine } from '../engine.ts';
import type { ContainerMount, ResolvedMount } from '../spec/container.ts';
import { outsideId } from '../spec/userns.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { userIn } from './in-root.ts';
import { mountVolume, ownFlags } from '../volume/mount.ts';
import { isMountVolume } from '../volume/options.ts';
import { isOverlaid, mountOverlaid, withoutOverlayWords } from './overlaid.ts';
import { volumeData, volumeDirectory } from './places.ts';

type VolumeMount = Extract<ContainerMount, { type: 'volume' }>;

/** `root` is the container's root file system, mounted. */
export async function resolveMounts(engine: Engine, record: ContainerRecord, root: Root): Promise<ResolvedMount[]> {
  const resolved: ResolvedMount[] = [];
  for (const mount of record.config.mounts) {
    if (mount.type === 'artifact') resolved.push(...(await artifactMounts(engine, mount, root)));
    else resolved.push(await resolveMount(engine, record, mount, root));
  }
  return resolved;
}

async function artifactMounts(engine: Engine, mount: Extract<ContainerMount, { type: 'artifact' }>, root: Root): Promise<ResolvedMount[]> {
  const { resolveArtifact } = await import('../artifact/mount.ts');
  const directory = openDirectory(root, mount.target);
  if (directory !== undefined) closeSync(directory);
  return resolveArtifact(engine, mount, directory !== undefined);
}

type SingleMount = Exclude<ContainerMount, { type: 'artifact' }>;

async function resolveMount(engine: Engine, record: ContainerRecord, mount: SingleMount, root: Root): Promise<ResolvedMount> {
  switch (mount.type) {
    case 'bind': {
      if (!existsSync(mount.source)) throw new EngineError('INVALID_ARGUMENT', `statfs ${mount.source}: no such file or directory`);
      const source = isOverlaid(mount) ? await mountOverlaid(engine, record, mount.source, mount) : mount.source;
      const options = await takeOwnership(record, source, withoutOverlayWords(mount.options), root);
      return { type: 'bind', source, target: mount.target, options };
    }
    case 'volume': {
      const volume = await volumeSource(engine, record, mount, root);
      const source = isOverlaid(mount) ? await mountOverlaid(engine, record, volume, mount) : volume;
      const options = await takeOwnership(record, source, withoutOverlayWords(mount.options), root);
      return {
        type: 'bind',
        source,
        target: mount.target,
        options: [...options.filter((option) => option !== 'copy' && option !== 'nocopy'), ...ownFlags(engine, mount.name)],
      };
    }
    case 'image': {
      const { mountImageVolume } = await import('../image/volume.ts');
      return {
        type: 'bind',
        source: imageSubpath(await mountImageVolume(engine, record, mount), mount.subpath),
        target: mount.target,
        options: ['rbind', ...mount.options.filter((option) => option !== 'rw' && option !== 'ro'), mount.writable ? 'rw' : 'ro'],
      };
    }
    case 'tmpfs':
      return { type: 'tmpfs', source: 'tmpfs', target: mount.target, options: mount.options };
    case 'ramfs':
      return { type: 'ramfs', source: 'ramfs', target: mount.target, options: mount.options };
    case 'devpts':
      return { type: 'devpts', source: 'devpts', target: mount.target, options: mount.options };
  }
}

async function volumeSource(engine: Engine, record: ContainerRecord, mount: VolumeMount, root: Root): Promise<string> {
  const volume = engine.volumes.get(mount.name);
  if (!volume) throw new EngineError('NO_SUCH_VOLUME', `no volume with name "${mount.name}" found: no such volume`);
  const data = volumeData(engine, mount.name);
  mkdirSync(data, { recursive: true, mode: 0o755 });
  await mountVolume(engine, volume);
  if (volume.needsCopyUp) await copyUp(engine, record, mount, data, root);
  if (mount.subpath === undefined) return data;
  return subpathOf(data, mount.subpath);
}

/**
 * The first mount of a volume over a directory of the image fills it with what is there, or with `nocopy` takes its owner and mode only;
 * where the image has none it belongs to the container's user. A volume that holds something is left alone (C05).
 */
async function copyUp(engine: Engine, record: ContainerRecord, mount: VolumeMount, data: string, root: Root): Promise<void> {
  using _lock = await lockFile(join(volumeDirectory(engine, mount.name), 'lock'));
  const volume = engine.volumes.get(mount.name);
  if (volume?.needsCopyUp !== true) return;
  const fd = openDirectory(root, mount.target);
  // A volume that is a mount has the owner its options say.
  const keepsOwner = fd === undefined && isMountVolume(volume);
  try {
    if (!keepsOwner && readdirSync(data).length === 0) await fillEmpty(fd, record, mount, data, root);
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
  engine.db.transaction(() => engine.volumes.markFilled(mount.name));
}

async function fillEmpty(fd: number | undefined, record: ContainerRecord, mount: VolumeMount, data: string, root: Root): Promise<void> {
  if (fd === undefined) {
    const { uid, gid } = ownerIn(root, record);
    chownSync(data, uid, gid);
  } else if (mount.options.includes('nocopy')) {
    const { uid, gid, mode } = fstatSync(fd);
    chownSync(data, uid, gid);
    chmodSync(data, mode & 0o7777);
  } else {
    const { copyTree } = await import('../../storage/tree/copy.ts');
    await copyTree(descriptorPath(fd), data);
  }
}

function openDirectory(root: Root, path: string): number | undefined {
  try {
    const fd = root.open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fstatSync(fd).isDirectory()) return fd;
    closeSync(fd);
    return undefined;
  } catch (error) {
    if (errnoOf(error) !== undefined) return undefined;
    throw error;
  }
}

/** Found beneath the image's root, whatever links say. Throws INVALID_ARGUMENT. */
function imageSubpath(directory: string, subpath: string | undefined): string {
  if (subpath === undefined) return directory;
  using root = new Root(directory);
  let fd: number;
  try {
    fd = root.open(subpath, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    if (errnoOf(cause) === undefined) throw cause;
    throw new EngineError('INVALID_ARGUMENT', `subpath ${JSON.stringify(subpath)} does not exist in the image`, { cause });
  }
  try {
    return realpathSync(descriptorPath(fd));
  } finally {
    closeSync(fd);
  }
}

function subpathOf(data: string, subpath: string): string {
  using root = new Root(data);
  if (!root.exists(subpath)) throw new EngineError('INVALID_ARGUMENT', `subpath "${subpath}" does not exist in the volume`);
  return join(data, subpath);
}

/** `U`: the source belongs to the container's user from now on, as that user is seen from here. */
async function takeOwnership(record: ContainerRecord, source: string, options: readonly string[], root: Root): Promise<readonly string[]> {
  if (!options.includes('U')) return options;
  const { uid, gid } = ownerIn(root, record);
  const stat = statSync(source);
  if (stat.uid !== uid || stat.gid !== gid) {
    const { chownTree } = await import('../../storage/tree/chown.ts');
    chownTree(source, { uid, gid });
  }
  return options.filter((option) => option !== 'U');
}

/** The container's user as lichen's own user namespace counts ids. */
function ownerIn(root: Root, { config }: ContainerRecord): { readonly uid: number; readonly gid: number } {
  const user = userIn(root, config);
  return { uid: outsideId(user.uid, config.idMap?.uids), gid: outsideId(user.gid, config.idMap?.gids) };
}
