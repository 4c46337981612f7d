/** The root of a container: from the bundle's directory to `/`, with all that is mounted in it (config.md#root, pivot_root(2)). */
import type { Deputy } from '../../host/deputy/deputy.ts';
import { argumentOf, type Step } from '../../host/deputy/layout.ts';
import { DetachedMount, mountAttributes } from '../../host/detached-mount.ts';
import { ERRNO, syscallError } from '../../host/libc.ts';
import { MS } from '../../host/mount.ts';
import { O_PATH } from '../../host/root.ts';
import { EngineError } from '../../core/errors.ts';
import type { Bundle } from '../bundle.ts';
import type { Mount } from '../config.ts';
import { makeDevices } from './devices.ts';
import { AT_FDCWD, InnerRoot, O_CLOEXEC } from './inner-root.ts';
import { MOUNT_ATTR, parsePropagation } from './mount-options.ts';
import { makeReadOnly, mountAt } from './mounts.ts';

const MNT_DETACH = 2;
const MOVE_MOUNT_F_EMPTY_PATH = 4;
const MOST_FDS = 0xffff_ffff;
const AT_RECURSIVE = 0x8000;

export interface RootRequest {
  readonly bundle: Bundle;
  /** True in every user namespace. */
  readonly areDevicesBound: boolean;
  /** With the old root in sight still: hooks. */
  readonly beforePivot: () => Promise<void>;
  /** chroot(2) in its place, for roots that cannot be pivoted from (a ramdisk). */
  readonly noPivot: boolean;
}

/** The deputy is in its new mount namespace. Throws SYSCALL, INVALID_ARGUMENT. */
export async function makeRoot(deputy: Deputy, request: RootRequest): Promise<InnerRoot> {
  const { config, path, rootfs } = request.bundle;
  const { linux = {}, mounts = [] } = config;
  const propagation = propagationOf(linux.rootfsPropagation);
  deputy.mustCall(
    [
      { call: 'mount', args: [null, '/', null, propagation.kind | (propagation.isRecursive ? MS.REC : 0), null] },
      // What is put on it and taken off again below must not reach anybody else.
      { call: 'mount', args: [null, '/', null, MS.PRIVATE, null] },
    ],
    'propagation of /',
  );
  const root = attachRoot(deputy, rootfs);
  const mountRequest = {
    bundle: path,
    uidMappings: linux.uidMappings ?? [],
    gidMappings: linux.gidMappings ?? [],
    hasOwnCgroupNamespace: linux.namespaces?.some(({ type }) => type === 'cgroup') === true,
  };
  const readOnlyLater: number[] = [];
  for (const mount of mounts) {
    const fd = await mountAt(root, mount, mountRequest);
    if (fd !== undefined) readOnlyLater.push(fd);
  }
  if (hasDev(mounts))
    makeDevices(root, linux.devices ?? [], { areBound: request.areDevicesBound, withConsole: config.process?.terminal === true });
  for (const fd of readOnlyLater) makeReadOnly(deputy, fd);
  await request.beforePivot();
  if (request.noPivot) changeRoot(deputy, root);
  else pivot(deputy, root);
  if (linux.rootfsPropagation !== undefined)
    deputy.call('mount', [null, '/', null, propagation.kind | (propagation.isRecursive ? MS.REC : 0), null], 'propagation of /');
  return new InnerRoot(deputy, keepRootAlone(deputy));
}

/** What was opened on the way is closed, all but its streams, its socket and its new root. */
function keepRootAlone(deputy: Deputy): number {
  const fd = deputy.firstOwn + 1;
  deputy.mustCall(
    [
      { call: 'close_range', args: [fd, MOST_FDS, 0] },
      // The lowest that is free, so that very one.
      { call: 'openat', args: [AT_FDCWD, '/', O_PATH | O_CLOEXEC, 0] },
    ],
    'the new root',
  );
  return fd;
}

/** Read-only and hidden paths, and the root itself read-only: when nothing is written there any more. Throws SYSCALL. */
export function closeRoot(root: InnerRoot, { config }: Bundle): void {
  protect(root.deputy, config.linux?.readonlyPaths ?? []);
  hide(root, config.linux?.maskedPaths ?? []);
  if (config.root?.readonly === true) {
    makeReadOnly(root.deputy, root.fd);
  }
}

function propagationOf(word: string | undefined): { readonly kind: number; readonly isRecursive: boolean } {
  if (word === undefined || word === '') return { kind: MS.PRIVATE, isRecursive: true };
  const parsed = parsePropagation(word);
  if (parsed === undefined) throw new EngineError('INVALID_ARGUMENT', `unknown rootfsPropagation ${JSON.stringify(word)}`);
  return parsed;
}

/** On top of the old root, which needs no path that the container's user can walk. */
function attachRoot(deputy: Deputy, rootfs: string): InnerRoot {
  using tree = DetachedMount.of(rootfs, { recursive: true });
  const fd = deputy.give(tree.fd);
  deputy.call('move_mount', [fd, '', AT_FDCWD, '/', MOVE_MOUNT_F_EMPTY_PATH], `root ${rootfs}`);
  return new InnerRoot(deputy, fd);
}

/** A root that has a /dev of its own and mounts nothing on it (an image's) is left as it is, as crun leaves it. */
function hasDev(mounts: readonly Mount[]): boolean {
  return !mounts.some(
    ({ destination, type, options = [] }) => destination === '/dev' && (type === 'bind' || options.some((each) => /^r?bind$/.test(each))),
  );
}

function pivot(deputy: Deputy, root: InnerRoot): void {
  deputy.mustCall(
    [
      { call: 'openat', args: [AT_FDCWD, '/', O_PATH | O_CLOEXEC, 0], store: argumentOf(3, 0) },
      { call: 'fchdir', args: [root.fd] },
      { call: 'pivot_root', args: ['.', '.'] },
      // The old root, which lies on the new one now. Nothing that happens to it may go back to where it came from.
      { call: 'fchdir', args: [0] },
      { call: 'mount', args: [null, '.', null, MS.SLAVE | MS.REC, null] },
      { call: 'umount2', args: ['.', MNT_DETACH] },
      { call: 'chdir', args: ['/'] },
    ],
    'the new root',
  );
}

function changeRoot(deputy: Deputy, root: InnerRoot): void {
  deputy.mustCall(
    [
      { call: 'fchdir', args: [root.fd] },
      { call: 'chroot', args: ['.'] },
      { call: 'chdir', args: ['/'] },
    ],
    'the new root',
  );
}

/** Our root is the container's now, so its names lead nowhere else. What is not there needs no protection. */
function protect(deputy: Deputy, paths: readonly string[]): void {
  const results = deputy.tryAll(
    paths.flatMap((path): Step[] => [
      { call: 'mount', args: [path, path, null, MS.BIND | MS.REC, null] },
      { call: 'mount_setattr', args: [AT_FDCWD, path, AT_RECURSIVE, mountAttributes({ set: MOUNT_ATTR.RDONLY }), 32] },
    ]),
  );
  for (const [index, path] of paths.entries()) {
    const [bound = 0, changed = 0] = results.slice(2 * index);
    if (bound < 0 && !isAbsent(bound)) throw syscallError('mount', `read-only path ${path}`, -bound);
    if (bound >= 0 && changed < 0) throw syscallError('mount_setattr', `read-only path ${path}`, -changed);
  }
}

/** A file is hidden by the null device, a directory by an empty one. */
function hide(root: InnerRoot, paths: readonly string[]): void {
  if (paths.length === 0) return;
  const { deputy } = root;
  const fd = root.open('/dev/null', O_PATH, { noLinks: true });
  const { major, minor } = root.stat(fd);
  deputy.call('close', [fd]);
  if (major !== 1 || minor !== 3)
    throw new EngineError('INVALID_ARGUMENT', '/dev/null is not the null device: nothing can be masked with it');
  const files = deputy.tryAll(paths.map((path): Step => ({ call: 'mount', args: ['/dev/null', path, null, MS.BIND, null] })));
  const directories = paths.filter((path, index) => {
    const result = files[index]!;
    if (result < 0 && !isAbsent(result)) throw syscallError('mount', `masked path ${path}`, -result);
    return -result === ERRNO.ENOTDIR;
  });
  const results = deputy.tryAll(
    directories.map((path): Step => ({
      call: 'mount',
      args: ['tmpfs', path, 'tmpfs', MS.RDONLY | MS.NOSUID | MS.NODEV | MS.NOEXEC, 'size=0k'],
    })),
  );
  for (const [index, path] of directories.entries()) {
    const result = results[index]!;
    if (result < 0 && !isAbsent(result)) throw syscallError('mount', `masked path ${path}`, -result);
  }
}

function isAbsent(result: number): boolean {
  return -result === ERRNO.ENOENT || -result === ERRNO.ENOTDIR;
}
