/** The mounts of a container (config.md#mounts), each on a path that is resolved inside its root. */
import { lstatSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { Deputy } from '../../host/deputy/deputy.ts';
import { argumentOf, type Step } from '../../host/deputy/layout.ts';
import { DetachedMount, mountAttributes } from '../../host/detached-mount.ts';
import { ERRNO, errno, syscallError } from '../../host/libc.ts';
import { MS } from '../../host/mount.ts';
import { O_PATH } from '../../host/root.ts';
import type { IdMapping, Mount } from '../config.ts';
import { fillFromBelow } from './copy-up.ts';
import { idMapNamespace, parseIdMaps } from './id-map.ts';
import { AT_EMPTY_PATH, type InnerRoot } from './inner-root.ts';
import { MOUNT_ATTR, parseMountOptions, type MountWish } from './mount-options.ts';

const AT_RECURSIVE = 0x8000;

export interface MountRequest {
  readonly bundle: string;
  /** The id maps of the container's user namespace, for mounts that ask for them. */
  readonly uidMappings: readonly IdMapping[];
  readonly gidMappings: readonly IdMapping[];
  readonly hasOwnCgroupNamespace: boolean;
}

/** What stands for a file system that may not be mounted here: the host's own view of it. */
const STAND_INS: Readonly<Record<string, string>> = { sysfs: '/sys', mqueue: '/dev/mqueue', cgroup2: '/sys/fs/cgroup' };

/**
 * A tmpfs that is to be read-only can still be written to afterwards, for what is mounted and made in it: its descriptor, in the deputy's table,
 * is for `makeReadOnly`. Throws SYSCALL, INVALID_ARGUMENT.
 */
export async function mountAt(root: InnerRoot, mount: Mount, request: MountRequest): Promise<number | undefined> {
  const wish = parseMountOptions(mount.type, mount.options ?? []);
  if (wish.isBind) {
    const source = resolve(request.bundle, mount.source ?? '');
    await attachBind(root, mount, wish, source, request);
    return undefined;
  }
  const type = mount.type === 'cgroup' ? 'cgroup2' : (mount.type ?? '');
  if (type === '' || type === 'none') throw new EngineError('INVALID_ARGUMENT', `mount ${mount.destination}: a type is required`);
  const refused = type === 'cgroup2' && !request.hasOwnCgroupNamespace ? ERRNO.EPERM : await mountNew(root, mount, wish, type);
  if (refused === undefined) return isReadOnlyLater(type, wish) ? root.open(mount.destination) : undefined;
  const isForbidden = refused === ERRNO.EPERM || refused === ERRNO.EBUSY;
  if (!isForbidden || STAND_INS[type] === undefined) throw syscallError('mount', `${type} on ${mount.destination}`, refused);
  await attachStandIn(root, mount, wish, type, request);
  return undefined;
}

/** Throws SYSCALL. */
export function makeReadOnly(deputy: Deputy, fd: number): void {
  deputy.call('mount_setattr', [fd, '', AT_EMPTY_PATH, mountAttributes({ set: MOUNT_ATTR.RDONLY }), 32], 'a mount, read-only');
}

/** The bind mount of a device or another file of ours that needs no options. Throws SYSCALL. */
export function attachFile(root: InnerRoot, source: string, destination: string): void {
  using tree = DetachedMount.of(source, { recursive: false });
  root.attach(root.deputy.give(tree.fd), destination, 'file', { noLinks: true });
}

async function attachStandIn(root: InnerRoot, mount: Mount, wish: MountWish, type: string, request: MountRequest): Promise<void> {
  await attachBind(root, mount, { ...wish, isBind: true, isRecursive: true }, STAND_INS[type]!, request);
}

async function attachBind(root: InnerRoot, mount: Mount, wish: MountWish, source: string, request: MountRequest): Promise<void> {
  const kind = kindOf(source);
  using tree = DetachedMount.of(source, { recursive: wish.isRecursive });
  if (wish.setAll !== 0 || wish.clearAll !== 0) tree.change({ set: wish.setAll, clear: wish.clearAll }, { recursive: true });
  if (wish.set !== 0) tree.change({ set: wish.set, clear: wish.clear & MOUNT_ATTR.ATIME }, { recursive: false });
  const cleared = wish.clear & ~MOUNT_ATTR.ATIME;
  // What the source's own namespace has locked stays on, as it does for mount(8) there.
  if (cleared !== 0 && tree.tryChange({ clear: cleared }, { recursive: false }) === -1 && errno() !== ERRNO.EPERM) {
    throw syscallError('mount_setattr', source, errno());
  }
  if (wish.idMap !== undefined || mount.uidMappings !== undefined) {
    const container = { uids: mount.uidMappings ?? request.uidMappings, gids: mount.gidMappings ?? request.gidMappings };
    using namespace = await idMapNamespace(parseIdMaps(wish.idMap ?? '', container));
    if (tree.tryChange({ set: MOUNT_ATTR.IDMAP, userNamespace: namespace.fd }, { recursive: wish.isRecursive }) === -1) refuseIdMap(source);
  }
  for (const { kind: propagation, isRecursive } of wish.propagation) tree.change({ propagation }, { recursive: isRecursive });
  root.attach(root.deputy.give(tree.fd), mount.destination, kind);
}

/** mount_setattr(2), EINVAL and EPERM of MOUNT_ATTR_IDMAP. */
function refuseIdMap(source: string): never {
  if (errno() !== ERRNO.EPERM && errno() !== ERRNO.EINVAL) throw syscallError('mount_setattr', source, errno());
  throw new EngineError(
    'NOT_SUPPORTED',
    `ids cannot be mapped on ${source}: that takes a file system that can do it and was mounted in the user namespace of the runtime`,
  );
}

/** Undefined when it is done; the errno of a mount(2) that was refused. Throws SYSCALL for all else. */
async function mountNew(root: InnerRoot, mount: Mount, wish: MountWish, type: string): Promise<number | undefined> {
  const { destination, source = type } = mount;
  // A link in the place of /proc or /sys would lead what is written there elsewhere (CVE-2019-19921).
  const options = { noLinks: type === 'proc' || type === 'sysfs' };
  const fill = type === 'tmpfs' && wish.copyUp ? fillFromBelow(root, destination) : undefined;
  let dataWords = wish.data;
  for (let isMade = false; ;) {
    const { failed } = root.deputy.calls([
      { ...root.opening(destination, O_PATH, options), store: argumentOf(1, 0) },
      { call: 'fchdir', args: [0] },
      {
        call: 'mount',
        args: [source, '.', type, wish.flags | flagsOf(wish, type), dataWords.length === 0 ? null : dataWords.join(',')],
      },
      ...afterwards(root, destination, wish),
    ]);
    if (failed === undefined) break;
    if (failed.index === 0 && failed.errno === ERRNO.ENOENT && !isMade) {
      root.make(destination, 'directory');
      isMade = true;
    } else if (failed.index === 2) {
      // A group that the user namespace does not have.
      const without = dataWords.filter((word) => !(type === 'devpts' && word.startsWith('gid=')));
      if (failed.errno !== ERRNO.EINVAL || without.length === dataWords.length) return failed.errno;
      dataWords = without;
    } else if (options.noLinks && failed.index === 0 && failed.errno === ERRNO.ELOOP) {
      throw new EngineError('INVALID_ARGUMENT', `mount \`${destination}\`: the root has a symbolic link there`);
    } else {
      throw syscallError(failed.index === 0 ? 'open' : failed.call, `${type} on ${destination}`, failed.errno);
    }
  }
  await fill?.();
  return undefined;
}

function isReadOnlyLater(type: string, { set }: MountWish): boolean {
  return type === 'tmpfs' && (set & MOUNT_ATTR.RDONLY) !== 0;
}

/** Flags that mount(2) takes for the new mount. */
function flagsOf(wish: MountWish, type: string): number {
  const { set } = wish;
  return (
    ((set & MOUNT_ATTR.RDONLY) !== 0 && !isReadOnlyLater(type, wish) ? MS.RDONLY : 0) |
    (set & (MOUNT_ATTR.NOSUID | MOUNT_ATTR.NODEV | MOUNT_ATTR.NOEXEC)) |
    ((set & MOUNT_ATTR.NOATIME) !== 0 ? MS.NOATIME : 0) |
    ((set & MOUNT_ATTR.STRICTATIME) !== 0 ? 1 << 24 : 0) |
    ((set & MOUNT_ATTR.NODIRATIME) !== 0 ? 2048 : 0) |
    ((set & MOUNT_ATTR.NOSYMFOLLOW) !== 0 ? 256 : 0)
  );
}

/** What is said to the new mount, which is now on top of the path. */
function afterwards(root: InnerRoot, destination: string, { propagation }: MountWish): Step[] {
  return propagation.flatMap(({ kind, isRecursive }, index): Step[] => [
    { ...root.opening(destination), store: argumentOf(3 + 2 * index + 1, 0) },
    { call: 'mount_setattr', args: [0, '', AT_EMPTY_PATH | (isRecursive ? AT_RECURSIVE : 0), mountAttributes({ propagation: kind }), 32] },
  ]);
}

function kindOf(source: string): 'directory' | 'file' {
  const stat = statSync(source, { throwIfNoEntry: false });
  if (stat !== undefined) return stat.isDirectory() ? 'directory' : 'file';
  const isLink = lstatSync(source, { throwIfNoEntry: false }) !== undefined;
  throw new EngineError(
    'INVALID_ARGUMENT',
    `mount source ${source}: ${isLink ? 'a symbolic link that leads nowhere' : 'no such file or directory'}`,
  );
}
