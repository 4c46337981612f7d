/** How a layer tree says that something below is gone, in the words of overlayfs mounted with `userxattr`. */
import { lstatSync, type Stats } from 'node:fs';
import { makeSpecialFile } from '../../host/mknod.ts';
import { getXattr, setXattr } from '../../host/xattr.ts';

const OPAQUE = 'user.overlay.opaque';
const YES = Buffer.from('y');
const OPAQUE_FILE = Buffer.from('/.wh..wh..opq');
const NAME_PREFIX = Buffer.from('.wh.');

/** The entry of this name in the layers below is gone. Throws SYSCALL (EEXIST). */
export function makeWhiteout(path: Buffer): void {
  makeSpecialFile(path, { type: 'char', major: 0, minor: 0 }, 0o600);
}

export function isWhiteout(stat: Stats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0;
}

/** The directory shows nothing of its namesakes below. */
export function makeOpaque(directory: Buffer): void {
  setXattr(directory, OPAQUE, YES);
}

/** Also as fuse-overlayfs marks it in an upper directory, with a file. */
export function isOpaque(directory: Buffer): boolean {
  if (getXattr(directory, OPAQUE)?.equals(YES) === true) return true;
  return lstatOrNothing(Buffer.concat([directory, OPAQUE_FILE])) !== undefined;
}

/** The name that a file `.wh.NAME` of fuse-overlayfs hides; empty for its other marks; undefined for names that mark nothing. */
export function hiddenByName(name: Buffer): Buffer | undefined {
  if (!name.subarray(0, NAME_PREFIX.length).equals(NAME_PREFIX)) return undefined;
  const hidden = name.subarray(NAME_PREFIX.length);
  return hidden.subarray(0, NAME_PREFIX.length).equals(NAME_PREFIX) ? Buffer.alloc(0) : hidden;
}

/** Undefined when there is nothing. Never follows a link. */
export function lstatOrNothing(path: Buffer): Stats | undefined {
  return lstatSync(path, { throwIfNoEntry: false });
}

/** Attributes in which overlayfs keeps its own state: never taken from a tar (hostile.md T12). */
export function isOverlayXattr(name: string): boolean {
  return /^(user|trusted)\.(overlay|fuseoverlayfs)\./.test(name);
}
