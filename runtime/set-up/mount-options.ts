/** The options of a mount (config.md#mounts, mount(8)), as what the kernel takes. Pure. */
import { MS } from '../../host/mount.ts';

/** struct mount_attr, mount_setattr(2). */
export const MOUNT_ATTR = {
  RDONLY: 0x01,
  NOSUID: 0x02,
  NODEV: 0x04,
  NOEXEC: 0x08,
  NOATIME: 0x10,
  STRICTATIME: 0x20,
  ATIME: 0x70,
  NODIRATIME: 0x80,
  IDMAP: 0x10_0000,
  NOSYMFOLLOW: 0x20_0000,
} as const;

export interface MountWish {
  readonly isBind: boolean;
  readonly isRecursive: boolean;
  /** Attributes of this mount, and of those below it as well. */
  readonly set: number;
  readonly clear: number;
  readonly setAll: number;
  readonly clearAll: number;
  /** In their order: a later one may say something else of the mounts below. */
  readonly propagation: readonly Propagation[];
  /** Flags of mount(2) for the file system itself. */
  readonly flags: number;
  readonly copyUp: boolean;
  /** What follows `idmap=`; empty: the maps of the container's user namespace. */
  readonly idMap: string | undefined;
  readonly data: readonly string[];
}

export interface Propagation {
  readonly kind: number;
  readonly isRecursive: boolean;
}

const ATTRIBUTES: Readonly<Record<string, readonly [set: number, clear: number]>> = {
  ro: [MOUNT_ATTR.RDONLY, 0],
  rw: [0, MOUNT_ATTR.RDONLY],
  nosuid: [MOUNT_ATTR.NOSUID, 0],
  suid: [0, MOUNT_ATTR.NOSUID],
  nodev: [MOUNT_ATTR.NODEV, 0],
  dev: [0, MOUNT_ATTR.NODEV],
  noexec: [MOUNT_ATTR.NOEXEC, 0],
  exec: [0, MOUNT_ATTR.NOEXEC],
  nodiratime: [MOUNT_ATTR.NODIRATIME, 0],
  diratime: [0, MOUNT_ATTR.NODIRATIME],
  // One of the three takes the place of the others.
  noatime: [MOUNT_ATTR.NOATIME, MOUNT_ATTR.ATIME],
  strictatime: [MOUNT_ATTR.STRICTATIME, MOUNT_ATTR.ATIME],
  // What a mount has by itself; on another's it may be locked.
  relatime: [0, 0],
  atime: [0, 0],
  norelatime: [0, 0],
  nostrictatime: [0, 0],
  nosymfollow: [MOUNT_ATTR.NOSYMFOLLOW, 0],
  symfollow: [0, MOUNT_ATTR.NOSYMFOLLOW],
};

const FLAGS: Readonly<Record<string, number>> = {
  sync: 16,
  async: 0,
  mand: 64,
  nomand: 0,
  dirsync: 128,
  silent: 32768,
  loud: 0,
  iversion: 1 << 23,
  noiversion: 0,
  lazytime: 1 << 25,
  nolazytime: 0,
  remount: MS.REMOUNT,
  defaults: 0,
  acl: 1 << 16,
  noacl: 0,
};

const PROPAGATION: Readonly<Record<string, number>> = {
  private: MS.PRIVATE,
  slave: MS.SLAVE,
  shared: MS.SHARED,
  unbindable: MS.UNBINDABLE,
};

/** All words that are no file system's own. */
export const MOUNT_WORDS: readonly string[] = [
  ...Object.keys(ATTRIBUTES).flatMap((word) => [word, `r${word}`]),
  ...Object.keys(FLAGS),
  ...Object.keys(PROPAGATION).flatMap((word) => [word, `r${word}`]),
  'bind',
  'rbind',
  'tmpcopyup',
  'idmap',
  'ridmap',
].toSorted();

/** `rootfsPropagation` and the words among a mount's options; undefined for any other word. */
export function parsePropagation(word: string): Propagation | undefined {
  const isRecursive = !Object.hasOwn(PROPAGATION, word) && word.startsWith('r');
  const kind = PROPAGATION[isRecursive ? word.slice(1) : word];
  return kind === undefined ? undefined : { kind, isRecursive };
}

export function parseMountOptions(type: string | undefined, options: readonly string[]): MountWish {
  let [set, clear, setAll, clearAll, flags] = [0, 0, 0, 0, 0];
  let [isBind, isRecursive, copyUp] = [type === 'bind' || type === 'rbind', type === 'rbind', false];
  let idMap: string | undefined;
  const propagation: Propagation[] = [];
  const data: string[] = [];
  for (const option of options) {
    const spread = parsePropagation(option);
    const own = Object.hasOwn(ATTRIBUTES, option) ? ATTRIBUTES[option] : undefined;
    const all = option.startsWith('r') && Object.hasOwn(ATTRIBUTES, option.slice(1)) ? ATTRIBUTES[option.slice(1)] : undefined;
    if (option === 'bind') isBind = true;
    else if (option === 'rbind') [isBind, isRecursive] = [true, true];
    else if (option === 'tmpcopyup') copyUp = true;
    else if (option === 'idmap' || option === 'ridmap') idMap = '';
    else if (option.startsWith('idmap=')) idMap = option.slice('idmap='.length);
    else if (spread !== undefined) propagation.push(spread);
    else if (own !== undefined) [set, clear] = [(set & ~own[1]) | own[0], (clear & ~own[0]) | own[1]];
    else if (all !== undefined) [setAll, clearAll] = [(setAll & ~all[1]) | all[0], (clearAll & ~all[0]) | all[1]];
    else if (Object.hasOwn(FLAGS, option)) flags |= FLAGS[option]!;
    else data.push(option);
  }
  return { isBind, isRecursive, set, clear, setAll, clearAll, propagation, flags, copyUp, idMap, data };
}
