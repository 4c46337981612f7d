/** Where a copy lands: the tree of the stage as it is, its links followed inside of it. */
import { closeSync, fstatSync, type BigIntStats } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { ERRNO, errnoOf } from '../../host/libc.ts';
import { O_PATH, type Root } from '../../host/root.ts';
import { fileTime } from '../../host/times.ts';
import { emptyEntry, type TarEntry } from '../../storage/tar/entry.ts';
import { realPathIn } from './sources.ts';

export interface Found {
  /** Links followed; relative to the root. */
  readonly path: string;
  readonly stat: BigIntStats;
}

/** The directories that a layer has to name: those there are keep their attributes, the others are new. */
export class Destination {
  /** Undefined: there is nothing yet (`scratch`). */
  readonly #root: Root | undefined;
  readonly #told = new Set<string>();
  readonly #fresh: Pick<TarEntry, 'uid' | 'gid' | 'mtime'>;

  /** `fresh`: of directories that are made on the way. */
  constructor(root: Root | undefined, fresh: Pick<TarEntry, 'uid' | 'gid' | 'mtime'>) {
    this.#root = root;
    this.#fresh = fresh;
  }

  /** What stands at an absolute or relative path. */
  find(path: string): Found | undefined {
    if (this.#root === undefined) return undefined;
    try {
      const fd = this.#root.open(path === '' ? '.' : path, O_PATH);
      try {
        return { path: realPathIn(this.#root, fd), stat: fstatSync(fd, { bigint: true }) };
      } finally {
        closeSync(fd);
      }
    } catch (error) {
      const code = errnoOf(error);
      if (code === ERRNO.ENOENT || code === ERRNO.ENOTDIR || code === ERRNO.ELOOP) return undefined;
      throw error;
    }
  }

  isDirectory(path: string): boolean {
    return path === '' || this.find(path)?.stat.isDirectory() === true;
  }

  /** The path with the links of the directories before its last part followed, and of that part too where it leads to something. */
  resolve(path: string): string {
    const whole = this.find(path);
    if (whole !== undefined) return whole.path;
    const parts = path.split('/').filter((part) => part !== '');
    for (let count = parts.length - 1; count > 0; count--) {
      const found = this.find(parts.slice(0, count).join('/'));
      if (found !== undefined) return [found.path, ...parts.slice(count)].filter((part) => part !== '').join('/');
    }
    return parts.join('/');
  }

  /** Links of the directories alone: what has the name itself is replaced. */
  resolveEntry(path: string): string {
    const slash = path.lastIndexOf('/');
    return slash < 0 ? path : [this.resolve(path.slice(0, slash)), path.slice(slash + 1)].filter((part) => part !== '').join('/');
  }

  /** The directories above a resolved path that no entry has named yet. */
  *above(path: string): Generator<TarEntry, void> {
    const parts = path.split('/');
    for (let count = 1; count < parts.length; count++) yield* this.directory(parts.slice(0, count).join('/'));
  }

  /** A directory as it is, or a new one; nothing if it was named before. */
  *directory(path: string): Generator<TarEntry, void> {
    if (path === '' || this.#told.has(path)) return;
    this.#told.add(path);
    const stat = this.find(path)?.stat;
    if (stat !== undefined && !stat.isDirectory()) throw new EngineError('INVALID_ARGUMENT', `/${path} is not a directory`);
    const own =
      stat !== undefined
        ? { mode: Number(stat.mode & 0o7777n), uid: Number(stat.uid), gid: Number(stat.gid), mtime: fileTime(stat.mtimeNs) }
        : { mode: 0o755, ...this.#fresh };
    yield directoryEntry(path, own);
  }

  /** Somebody else names it. */
  tell(path: string): void {
    this.#told.add(path);
  }
}

export function directoryEntry(path: string, attributes: Pick<TarEntry, 'mode' | 'uid' | 'gid' | 'mtime'>): TarEntry {
  return { ...emptyEntry('directory', `${path}/`), ...attributes };
}
