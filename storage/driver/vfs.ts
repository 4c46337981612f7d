/**
 * No overlay at all: the layers are copied into one plain tree (contents shared where the file system can), which is then bound where it is wanted.
 * A writable tree lives in `upper`, complete or absent; one without `upper` beside `merged`, and goes when it is unmounted.
 */
import { existsSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync } from 'node:fs';
import { bindMount, isMountPoint, mount, MS, unmountAll } from '../../host/mount.ts';
import { removeTree } from '../tree/remove.ts';
import { flatten } from './flatten.ts';
import { refuseIdMap } from './prepare.ts';
import type { Change, Driver, MountRequest } from './driver.ts';
import { visibleLowers } from './union.ts';

export class VfsDriver implements Driver {
  readonly name = 'vfs';

  async mount(request: MountRequest): Promise<void> {
    const { upper, merged } = request;
    if (isMountPoint(merged)) return;
    refuseIdMap(request, this.name);
    if (request.lowers.length === 0) throw new Error('a mount needs at least one lower directory');
    mkdirSync(merged, { recursive: true });
    const tree = upper ?? readOnlyTree(merged);
    await buildOnce(tree, visibleLowers(request.lowers));
    bindMount(tree, merged);
    if (upper === undefined) mount('none', merged, null, MS.REMOUNT | MS.BIND | MS.RDONLY);
  }

  async unmount(merged: string): Promise<void> {
    unmountAll(merged);
    removeTree(readOnlyTree(merged));
  }

  isMounted(merged: string): boolean {
    return isMountPoint(merged);
  }

  /** Both trees are compared: `upper` holds the whole of it here. */
  async *changes(request: Pick<MountRequest, 'lowers' | 'upper' | 'merged'>): AsyncGenerator<Change, void> {
    if (request.upper === undefined || !isBuilt(request.upper)) return;
    const { unionChanges } = await import('./changes.ts');
    yield* unionChanges([request.upper], request.lowers);
  }
}

function readOnlyTree(merged: string): string {
  return `${merged}.tree`;
}

/** A tree that has been written in must never be built again, so it appears under its name only when it is complete. */
async function buildOnce(tree: string, lowers: readonly string[]): Promise<void> {
  if (isBuilt(tree)) return;
  const partial = `${tree}.partial`;
  removeTree(partial);
  mkdirSync(partial, { recursive: true, mode: 0o700 });
  await flatten(lowers, partial);
  if (existsSync(tree)) rmdirSync(tree);
  renameSync(partial, tree);
}

/** An empty directory may have been made by the caller; building that once more changes nothing. */
function isBuilt(tree: string): boolean {
  return lstatSync(tree, { throwIfNoEntry: false }) !== undefined && readdirSync(tree).length > 0;
}
