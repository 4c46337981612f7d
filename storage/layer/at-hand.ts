import { linkSync, lstatSync, unlinkSync } from 'node:fs';
import { fileTime } from '../../host/times.ts';
import { listXattrs } from '../../host/xattr.ts';
import type { TarEntry } from '../tar/entry.ts';
import { bytesOf, TreeDirectories } from './directories.ts';
import type { EntryPath } from './entry-path.ts';
import { systemCode } from './refuse.ts';

/**
 * A tree whose regular files a layer in the making may take as they are, in the place of copies: it is on the same file system, the layer's tar is
 * made of it, and nobody writes to it any more. Names are resolved inside it.
 */
export class FilesAtHand implements Disposable {
  readonly #directories: TreeDirectories;

  constructor(tree: string) {
    this.#directories = new TreeDirectories(tree);
  }

  /** Give the file at `path` the name `target` as well. False when there is none that is all the entry says and no more, or it cannot be linked. */
  link(path: EntryPath, target: Buffer, entry: TarEntry): boolean {
    this.#directories.release();
    try {
      linkSync(bytesOf(this.#directories.find(path.directory).prefix + path.name), target);
    } catch (error) {
      if (systemCode(error) === undefined) throw error;
      return false;
    }
    if (isAs(target, entry)) return true;
    unlinkSync(target);
    return false;
  }

  [Symbol.dispose](): void {
    this.#directories[Symbol.dispose]();
  }
}

/** What a driver or lichen itself has noted in attributes is no part of the entry: such a file is none to take. */
function isAs(path: Buffer, { sizeBytes, mode, uid, gid, mtime, xattrs }: TarEntry): boolean {
  const stat = lstatSync(path, { bigint: true });
  const time = fileTime(stat.mtimeNs);
  const names = listXattrs(path).filter((name) => name !== 'security.selinux');
  return (
    stat.isFile() &&
    Number(stat.size) === sizeBytes &&
    Number(stat.mode & 0o7777n) === mode &&
    Number(stat.uid) === uid &&
    Number(stat.gid) === gid &&
    time.seconds === mtime.seconds &&
    time.nanoseconds === mtime.nanoseconds &&
    names.length === xattrs.size &&
    names.every((name) => xattrs.has(name))
  );
}
