import { setXattr } from '../../host/xattr.ts';
import { NO_XATTRS, type TarEntry } from '../tar/entry.ts';
import type { Notices } from './notices.ts';
import { refuseEntry, systemCode } from './refuse.ts';
import { isKeptOwner } from './kept-owner.ts';
import { isOverlayXattr } from './whiteout.ts';

/** Inherited by what is made in the directory later, so it must wait until everything is there. */
const INHERITED = 'system.posix_acl_default';

/** The attributes of a directory that are set last. */
export function lateXattrs(entry: TarEntry): ReadonlyMap<string, Buffer> {
  const value = entry.xattrs.get(INHERITED);
  return value === undefined ? NO_XATTRS : new Map([[INHERITED, value]]);
}

/**
 * Set the attributes less those in `except`. SELinux labels belong to the machine the image was made on; what the file system or the user namespace
 * does not take is noticed and left out; what is no valid value, or too large, refuses the layer.
 */
export function applyXattrs(
  target: Buffer,
  entry: TarEntry,
  xattrs: ReadonlyMap<string, Buffer>,
  notices: Notices,
  except: ReadonlyMap<string, Buffer> = NO_XATTRS,
): void {
  for (const [name, value] of xattrs) {
    if (name === 'security.selinux' || except.has(name)) continue;
    if (isOverlayXattr(name) || isKeptOwner(name)) notices.add('overlay-xattr', entry.path);
    else applyOne(target, entry, name, value, notices);
  }
}

function applyOne(target: Buffer, entry: TarEntry, name: string, value: Buffer, notices: Notices): void {
  try {
    setXattr(target, name, value);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EPERM' || code === 'EOPNOTSUPP') return notices.add('xattr', entry.path);
    // ext4 says ENOSPC when attributes do not fit beside the inode, however empty the disk is.
    const tooLarge = code === 'E2BIG' || code === 'ERANGE' || (code === 'ENOSPC' && value.length > 2048);
    if (tooLarge)
      throw refuseEntry(
        entry.path,
        `extended attribute ${JSON.stringify(name.slice(0, 100))} of ${value.length} bytes is too large here`,
        error,
      );
    if (code === 'EINVAL')
      throw refuseEntry(entry.path, `extended attribute ${JSON.stringify(name.slice(0, 100))} has no valid value`, error);
    throw error;
  }
}
