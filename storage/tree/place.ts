/**
 * Members of a tar put into a tree that somebody else may be changing. Directories are opened inside a root (openat2, RESOLVE_IN_ROOT),
 * entries are made below the open directory and never through a link, so nothing is written outside of that root.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { errnoOf, ERRNO, syscallError } from '../../host/libc.ts';
import { makeSpecialFile } from '../../host/mknod.ts';
import { descriptorPath, O_PATH, type Root } from '../../host/root.ts';
import { setTimes } from '../../host/times.ts';
import { setXattr } from '../../host/xattr.ts';
import { cleanPath } from '../layer/entry-path.ts';
import { readIdSpace } from '../layer/ids.ts';
import { keepOwner } from '../layer/kept-owner.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { TarMember } from '../tar/read.ts';

export interface PlaceOptions {
  /** Who owns what is made. */
  readonly owner: (entry: TarEntry) => { readonly uid: number; readonly gid: number };
  /** A directory may take the place of something else, and the other way round. */
  readonly overwriteKinds: boolean;
  /** Pass over devices instead of failing. */
  readonly skipDevices: boolean;
}

/**
 * Put the members below `directory` of `root` (both names as latin1 strings, one character per byte). Files replace files; existing directories are
 * filled and get the attributes of the member. Missing parents are made. Throws SYSCALL, STORE_FULL, INVALID_ARGUMENT (something of another kind
 * is in the way), LAYER_REFUSED (a name with `..` that leads out), and what the source throws; what was put before that stays.
 */
export async function placeMembers(root: Root, directory: string, members: AsyncIterable<TarMember>, options: PlaceOptions): Promise<void> {
  using placing = new Placing(root, directory, options);
  for await (const member of members) await placing.add(member);
  placing.finish();
}

class Placing implements Disposable {
  readonly #root: Root;
  readonly #base: string;
  readonly #options: PlaceOptions;
  readonly #single = readIdSpace().single;
  #parent: { readonly path: string; readonly fd: number } | undefined;
  readonly #directories = new Map<string, TarEntry>();

  constructor(root: Root, base: string, options: PlaceOptions) {
    this.#root = root;
    this.#base = base;
    this.#options = options;
  }

  async add({ entry, body }: TarMember): Promise<void> {
    const { directory, name } = cleanPath(entry.path);
    if (name === '') return;
    try {
      const target = below(this.#open(directory), name);
      await this.#make(entry, body, target);
    } catch (error) {
      throw failure(entry, error);
    }
    if (entry.type === 'directory') this.#directories.set(directory === '' ? name : `${directory}/${name}`, entry);
  }

  /** Filling a directory changes its time, so times come last. */
  finish(): void {
    for (const [path, entry] of this.#directories) {
      const fd = this.#openNow(path);
      if (fd === undefined) continue;
      setTimes(Buffer.from(`${descriptorPath(fd)}/.`), entry.mtime);
      closeSync(fd);
    }
  }

  [Symbol.dispose](): void {
    if (this.#parent) closeSync(this.#parent.fd);
    this.#parent = undefined;
  }

  async #make(entry: TarEntry, body: AsyncIterable<Buffer>, target: Buffer): Promise<void> {
    switch (entry.type) {
      case 'directory':
        return this.#makeDirectory(entry, target);
      case 'file':
        return this.#makeFile(entry, body, target);
      case 'symlink':
        this.#inPlace(target, () => symlinkSync(entry.linkPath, target));
        break;
      case 'hardlink':
        return this.#makeHardlink(entry, target);
      case 'fifo':
        this.#inPlace(target, () => makeSpecialFile(target, { type: 'fifo' }, entry.mode));
        break;
      case 'char':
      case 'block': {
        if (this.#options.skipDevices) return;
        const { type, device } = entry;
        this.#inPlace(target, () => makeSpecialFile(target, { type, ...device }, entry.mode));
      }
    }
    if (!this.#single) {
      const { uid, gid } = this.#options.owner(entry);
      lchownSync(target, uid, gid);
    }
    setTimes(target, entry.mtime);
  }

  #makeDirectory(entry: TarEntry, target: Buffer): void {
    const existing = lstatSync(target, { throwIfNoEntry: false });
    if (existing?.isDirectory() !== true) {
      if (existing !== undefined) {
        if (!this.#options.overwriteKinds) throw new EngineError('INVALID_ARGUMENT', 'file exists');
        unlinkSync(target);
      }
      mkdirSync(target, 0o700);
    }
    const fd = openSync(target, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
    try {
      this.#give(fd, entry, Buffer.from(`${descriptorPath(fd)}/.`));
      fchmodSync(fd, entry.mode);
      applyXattrs(Buffer.from(`${descriptorPath(fd)}/.`), entry);
    } finally {
      closeSync(fd);
    }
  }

  async #makeFile(entry: TarEntry, body: AsyncIterable<Buffer>, target: Buffer): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
    const fd = this.#inPlace(target, () => openSync(target, flags, 0o600));
    try {
      for await (const piece of body) for (let at = 0; at < piece.length;) at += writeSync(fd, piece, at);
      this.#give(fd, entry, target);
      fchmodSync(fd, entry.mode);
    } finally {
      closeSync(fd);
    }
    applyXattrs(target, entry);
    setTimes(target, entry.mtime);
  }

  /** `path` reaches what `fd` is. */
  #give(fd: number, entry: TarEntry, path: Buffer): void {
    const { uid, gid } = this.#options.owner(entry);
    if (this.#single) keepOwner(path, { uid, gid });
    else fchownSync(fd, uid, gid);
  }

  #makeHardlink(entry: TarEntry, target: Buffer): void {
    const source = cleanPath(entry.linkPath);
    const parent = this.#openNow(source.directory);
    if (parent === undefined || source.name === '') throw new EngineError('INVALID_ARGUMENT', 'the target of the hard link is not there');
    try {
      const from = below(parent, source.name);
      if (sameFile(from, target)) return;
      this.#inPlace(target, () => linkSync(from, target));
    } finally {
      closeSync(parent);
    }
  }

  /** Run `make`; when the name is taken, clear it and run it again. */
  #inPlace<T>(target: Buffer, make: () => T): T {
    try {
      return make();
    } catch (error) {
      const existing = lstatSync(target, { throwIfNoEntry: false });
      if (existing === undefined || !isTaken(error)) throw error;
      if (existing.isDirectory() && !this.#options.overwriteKinds) throw error;
      removeBelow(target, 0);
    }
    return make();
  }

  /** The directory, held open until the next one is asked for: archives list a directory's entries together. */
  #open(path: string): number {
    if (this.#parent?.path === path) return this.#parent.fd;
    const fd = this.#openNow(path) ?? this.#makeParents(path);
    this[Symbol.dispose]();
    this.#parent = { path, fd };
    return fd;
  }

  #openNow(path: string): number | undefined {
    try {
      return this.#root.open(bytes(`${this.#base}/${path}`), O_PATH | constants.O_DIRECTORY);
    } catch (error) {
      if (errnoOf(error) === ERRNO.ENOENT && path !== '') return undefined;
      throw error;
    }
  }

  #makeParents(path: string): number {
    const slash = path.lastIndexOf('/');
    const above = slash === -1 ? '' : path.slice(0, slash);
    const parent = this.#openNow(above) ?? this.#makeParents(above);
    try {
      mkdirSync(below(parent, path.slice(slash + 1)), 0o755);
    } finally {
      closeSync(parent);
    }
    const fd = this.#openNow(path);
    if (fd === undefined) throw new EngineError('INVALID_ARGUMENT', 'no such file or directory');
    return fd;
  }
}

/** Remove an entry with all there is below it, one name below an open directory at a time. */
function removeBelow(path: Buffer, depth: number): void {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) return unlinkSync(path);
  if (depth > MAX_DEPTH) throw new EngineError('INVALID_ARGUMENT', `directories are nested deeper than ${MAX_DEPTH}`);
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW);
  try {
    for (const name of readdirSync(descriptorPath(fd), { encoding: 'latin1' })) removeBelow(below(fd, name), depth + 1);
  } finally {
    closeSync(fd);
  }
  rmdirSync(path);
}

const MAX_DEPTH = 500;

function below(directory: number, name: string): Buffer {
  return bytes(`${descriptorPath(directory)}/${name}`);
}

function bytes(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}

function sameFile(a: Buffer, b: Buffer): boolean {
  const [one, other] = [a, b].map((path) => lstatSync(path, { bigint: true, throwIfNoEntry: false }));
  return one !== undefined && other !== undefined && one.ino === other.ino && one.dev === other.dev;
}

function isTaken(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EEXIST' || errnoOf(error) === ERRNO.EEXIST;
}

/** What the file system or the user namespace does not take is left out. */
function applyXattrs(target: Buffer, entry: TarEntry): void {
  for (const [name, value] of entry.xattrs) {
    try {
      setXattr(target, name, value);
    } catch (error) {
      const number = errnoOf(error);
      if (number !== ERRNO.EPERM && number !== ERRNO.EOPNOTSUPP) throw error;
    }
  }
}

/** Named by its place in the archive: the descriptor's path says nothing to the user. */
function failure(entry: TarEntry, error: unknown): unknown {
  const { errno, syscall } = error as NodeJS.ErrnoException;
  const name = JSON.stringify(entry.path.toString('utf8').replace(/\/+$/, ''));
  if (syscall !== undefined && errno !== undefined) return syscallError('error creating', name, -errno);
  if (!(error instanceof EngineError) || error.code === 'LAYER_REFUSED') return error;
  const words = errnoOf(error) === undefined ? error.message : error.message.slice(error.message.lastIndexOf(': ') + 2);
  return new EngineError(error.code, `error creating ${name}: ${words}`, { cause: error });
}
