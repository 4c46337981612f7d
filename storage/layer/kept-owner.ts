/**
 * Owners where only one id is mapped. A file cannot belong to anybody else then, so what an image or an archive says is kept beside it, as an
 * extended attribute of files and directories; links and special files can have none. overlayfs copies it up with the file that a container
 * writes to, and a file that is made anew has none: so what is exported and committed has the owners that it would have had.
 * Whoever packs a tree reads it, whatever the map is then; but of root's files alone, which all are where one id is mapped: on another machine any
 * user of a container could say so that his program is root's. No tar brings it along, and none that is made here holds it.
 */
import { removeXattr, setXattr } from '../../host/xattr.ts';
import type { TarEntry } from '../tar/entry.ts';
import { systemCode } from './refuse.ts';

const NAME = 'user.lichen.owner';

export function isKeptOwner(name: string): boolean {
  return name === NAME;
}

/** Quietly nothing where the file system takes no such attributes. */
export function keepOwner(path: Buffer, { uid, gid }: { readonly uid: number; readonly gid: number }): void {
  try {
    if (uid === 0 && gid === 0) removeXattr(path, NAME);
    else setXattr(path, NAME, Buffer.from(`${uid}:${gid}`));
  } catch (error) {
    if (!['EPERM', 'EOPNOTSUPP', 'ENOSPC'].includes(systemCode(error) ?? '')) throw error;
  }
}

/** The entry of a file as it was found, with the owner that is kept beside it. */
export function withKeptOwner(entry: TarEntry): TarEntry {
  const kept = entry.xattrs.get(NAME);
  if (kept === undefined) return entry;
  const match = /^(\d{1,10}):(\d{1,10})$/.exec(kept.toString('latin1'));
  const xattrs = new Map([...entry.xattrs].filter(([name]) => name !== NAME));
  if (match === null || entry.uid !== 0 || entry.gid !== 0) return { ...entry, xattrs };
  return { ...entry, uid: Number(match[1]), gid: Number(match[2]), xattrs };
}
