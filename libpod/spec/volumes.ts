/** From the mounts asked for, those of other containers and those of the image to the container's own list. */
import { posix } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { ContainerDefaults } from '../../storage/image.ts';
import type { ContainerMount } from './container.ts';
import type { ContainerWish, MountWish } from './wish.ts';
import { bindOptions, CONTENT_FLAGS, tmpfsOptions, type LockedFlag } from './mount-options.ts';

export interface VolumeFacts {
  /** A name for an anonymous volume: 64 random hex digits. */
  readonly newVolumeName: () => string;
  /**
   * Flags of the file system under a bind source (statfs(2)) that a mount in a user namespace must keep.
   * Throws INVALID_ARGUMENT `statfs /no/such: no such file or directory`.
   */
  readonly mountFlags: (source: string) => readonly LockedFlag[];
  /** Mounts of the containers named by --volumes-from. */
  readonly volumesFrom: readonly ContainerMount[];
}

/** An image could declare any number, and each becomes a directory and a mount. */
const MAX_IMAGE_VOLUMES = 1000;
const IMAGE_VOLUME_OPTIONS = ['rprivate', 'rw', 'nodev', 'exec', 'nosuid'];

/** Sorted by target. Asked for goes before --volumes-from goes before the image. Throws INVALID_ARGUMENT, IMAGE_CORRUPT. */
export function containerMounts(
  wish: Pick<ContainerWish, 'mounts'>,
  image: ContainerDefaults | undefined,
  imageVolumes: 'anonymous' | 'bind' | 'tmpfs' | 'ignore',
  facts: VolumeFacts,
): ContainerMount[] {
  const byTarget = new Map<string, ContainerMount>();
  for (const asked of uniqueWishes(wish.mounts)) byTarget.set(asked.target, askedMount(asked, facts));
  for (const inherited of facts.volumesFrom) if (!byTarget.has(inherited.target)) byTarget.set(inherited.target, inherited);
  if (imageVolumes !== 'ignore') {
    for (const target of imageTargets(image)) if (!byTarget.has(target)) byTarget.set(target, imageVolume(target, imageVolumes, facts));
  }
  return [...byTarget.values()].toSorted((a, b) => (a.target < b.target ? -1 : 1));
}

/** The same wish twice is one; two different ones for a target are a mistake. */
function uniqueWishes(wishes: readonly MountWish[]): MountWish[] {
  const byTarget = new Map<string, MountWish>();
  for (const wish of wishes) {
    const target = checkedTarget(wish.target);
    const clean = { ...wish, target };
    const other = byTarget.get(target);
    if (other && JSON.stringify(other) !== JSON.stringify(clean)) {
      throw new EngineError('INVALID_ARGUMENT', `${target}: duplicate mount destination`);
    }
    byTarget.set(target, clean);
  }
  return [...byTarget.values()];
}

function askedMount(wish: MountWish, facts: VolumeFacts): ContainerMount {
  switch (wish.type) {
    case 'bind':
      return { ...wish, options: bindOptions(wish.options, facts.mountFlags(wish.source)) };
    case 'volume': {
      const { name, ...rest } = wish;
      const anonymous = name === undefined || name === '';
      return { ...rest, name: anonymous ? facts.newVolumeName() : name, anonymous, options: bindOptions(wish.options, CONTENT_FLAGS) };
    }
    case 'tmpfs':
      return { ...wish, options: tmpfsOptions(wish.options) };
    default:
      return wish;
  }
}

function imageVolume(target: string, mode: 'anonymous' | 'bind' | 'tmpfs', facts: VolumeFacts): ContainerMount {
  if (mode === 'tmpfs') return { type: 'tmpfs', target, options: tmpfsOptions(IMAGE_VOLUME_OPTIONS) };
  return {
    type: 'volume',
    name: facts.newVolumeName(),
    anonymous: true,
    target,
    options: bindOptions(IMAGE_VOLUME_OPTIONS, CONTENT_FLAGS),
  };
}

/** What an image says is read beneath the root, whatever it says; the root itself cannot be a volume. */
function imageTargets(image: ContainerDefaults | undefined): string[] {
  const targets = Object.keys(image?.Volumes ?? {}).map((target) => posix.join('/', target).replace(/(?<=.)\/$/, ''));
  if (targets.length > MAX_IMAGE_VOLUMES) {
    throw new EngineError('IMAGE_CORRUPT', `the image declares ${targets.length} volumes; at most ${MAX_IMAGE_VOLUMES} are supported`);
  }
  const odd = targets.find((target) => target === '/dev' || /^\/proc(\/|$)/.test(target));
  if (odd !== undefined)
    throw new EngineError('IMAGE_CORRUPT', `the image declares a volume at ${odd}, which the container's own must not give way to`);
  return [...new Set(targets)].filter((target) => target !== '/' && !target.includes('\0')).toSorted();
}

function checkedTarget(target: string): string {
  if (!target.startsWith('/') || target.includes('\0')) {
    throw new EngineError('INVALID_ARGUMENT', `invalid container path ${JSON.stringify(target)}, must be an absolute path`);
  }
  const clean = posix.normalize(target).replace(/(?<=.)\/$/, '');
  if (clean === '/')
    throw new EngineError('INVALID_ARGUMENT', `invalid container path ${JSON.stringify(target)}, must not be the root directory`);
  return clean;
}
