import { chmodSync, lchownSync, mkdirSync, statSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { MountRequest } from './driver.ts';
import type { OverlayDirectories } from './options.ts';
import { visibleLowers } from './union.ts';

/**
 * Make the directories of a mount that are missing, and say which lowers count. A new upper directory is the top of what is seen,
 * so it gets mode and owner of the layer below it.
 */
export function prepareMount(request: MountRequest): OverlayDirectories {
  const { upper, work, merged } = request;
  if (request.lowers.length === 0) throw new Error('a mount needs at least one lower directory');
  if ((upper === undefined) !== (work === undefined)) throw new Error('upper and work go together');
  const lowers = visibleLowers(request.lowers);
  mkdirSync(merged, { recursive: true });
  if (work !== undefined) mkdirSync(work, { recursive: true, mode: 0o700 });
  if (upper !== undefined && mkdirSync(upper, { recursive: true }) !== undefined) copyTopAttributes(lowers[0]!, upper);
  return { lowers, upper, work };
}

/** For drivers that show owners as they are. */
export function refuseIdMap({ idMap }: MountRequest, driver: string): void {
  if (idMap !== undefined)
    throw new EngineError('NOT_SUPPORTED', `the ${driver} driver cannot shift the ids of an image`, { hint: 'Use fuse-overlayfs.' });
}

export function copyTopAttributes(from: string, to: string): void {
  const { uid, gid, mode } = statSync(from);
  lchownSync(to, uid, gid);
  chmodSync(to, mode & 0o7777);
}
