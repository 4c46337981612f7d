/**
 * A tar stream put into a directory tree that holds something already and that others may be changing.
 *
 * Parents are resolved inside the tree whatever its symbolic links say (openat2(2) RESOLVE_IN_ROOT) and held open; the last name is never
 * followed: what stands there is taken away and made new. So nothing outside of the tree is ever read or written.
 */
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { isInitialUserNamespace } from '../../host/identity.ts';
import { makeSpecialFile } from '../../host/mknod.ts';
import { descriptorPath } from '../../host/root.ts';
import { setTimes } from '../../host/times.ts';
import { applyXattrs } from '../layer/attributes.ts';
import { bytesOf, TreeDirectories } from '../layer/directories.ts';
import { cleanPath } from '../layer/entry-path.ts';
import { checkIds, readIdSpace } from '../layer/ids.ts';
import { keepOwner } from '../layer/kept-owner.ts';
import { DEFAULT_LIMITS } from '../layer/limits.ts';
import { Notices } from '../layer/notices.ts';
import { entryError, refuseEntry } from '../layer/refuse.ts';
import { lstatOrNothing } from '../layer/whiteout.ts';
import type { TarEntry } from '../tar/entry.ts';
import { TarParser, type TarHandler } from '../tar/parser.ts';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_DIRECTORY } = constants;

/**
 * Unpack a plain tar into `tree`. What has the name of an entry is replaced; a directory is merged with one of its name.
 * Throws IMAGE_CORRUPT (no tar, or cut off), LAYER_REFUSED (an entry that leads out of the tree, ids without a mapping, too many entries), STORE_FULL.
 * What was unpacked before a failure stays. Lines about what could not be kept (devices) are returned. With an `owner` everything is its.
 */
export async function unarchiveTree(source: AsyncIterable<Buffer>, tree: string, owner?: Owner): Promise<readonly string[]> {
  using unpacker = new Unpacker(tree, owner);
  const parser = new TarParser(unpacker);
  for await (const chunk of source) parser.write(chunk);
  parser.finish();
  unpacker.finish();
  return unpacker.notices.lines();
}

interface Owner {
  readonly uid: number;
  readonly gid: number;
}

class Unpacker implements TarHandler, Disposable {
  readonly notices = new Notices();
  readonly #owner: Owner | undefined;
  readonly #directories: TreeDirectories;
  readonly #ids = readIdSpace();
  readonly #mayMakeDevices = isInitialUserNamespace();
  /** Times of directories are set when nothing is put into them any more. */
  readonly #late = new Map<string, TarEntry>();
  #file: { readonly fd: number; readonly entry: TarEntry; readonly target: Buffer } | undefined;
  #entries = 0;

  constructor(tree: string, owner: Owner | undefined) {
    this.#owner = owner;
    this.#directories = new TreeDirectories(tree);
  }

  entry(told: TarEntry): void {
    const entry = { ...told, ...this.#owner };
    if (++this.#entries > DEFAULT_LIMITS.maxEntries) throw refuseEntry(entry.path, `more than ${DEFAULT_LIMITS.maxEntries} entries`);
    try {
      this.#place(entry);
    } catch (error) {
      throw entryError(entry.path, error);
    }
  }

  body(bytes: Buffer): void {
    if (this.#file === undefined) return;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file.fd, bytes, at);
    } catch (error) {
      throw entryError(this.#file.entry.path, error);
    }
  }

  end(): void {
    const file = this.#file;
    if (file === undefined) return;
    this.#file = undefined;
    try {
      const { fd, entry, target } = file;
      if (this.#ids.single) keepOwner(target, entry);
      else fchownSync(fd, entry.uid, entry.gid);
      fchmodSync(fd, entry.mode);
      applyXattrs(target, entry, entry.xattrs, this.notices);
      setTimes(target, entry.mtime);
    } finally {
      closeSync(file.fd);
    }
  }

  finish(): void {
    for (const [path, entry] of this.#late) {
      this.#directories.release();
      const place = this.#stillThere(path);
      if (place !== undefined) setTimes(place, entry.mtime);
    }
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file.fd);
    this.#directories[Symbol.dispose]();
  }

  /** Undefined for a directory that a later entry, or somebody else, took away. */
  #stillThere(path: string): Buffer | undefined {
    try {
      return bytesOf(`${this.#directories.find(path).prefix}.`);
    } catch (error) {
      if (isEngineError(error, 'SYSCALL')) return undefined;
      throw error;
    }
  }

  #place(entry: TarEntry): void {
    this.#directories.release();
    const path = cleanPath(entry.path);
    if (path.depth > DEFAULT_LIMITS.maxDepth) throw refuseEntry(entry.path, `deeper than ${DEFAULT_LIMITS.maxDepth} directories`);
    if (!this.#ids.single) checkIds(this.#ids, entry.uid, entry.gid, entry.path);
    if (path.name === '') {
      if (entry.type === 'directory') this.#directoryAttributes(entry, bytesOf(`${this.#directories.find('').prefix}.`), '');
      return;
    }
    const parent = this.#directories.ensure(path.directory, { revive: true })!;
    const target = bytesOf(parent.prefix + path.name);
    if (entry.type === 'directory') {
      if (lstatOrNothing(target)?.isDirectory() !== true) {
        this.#clear(target);
        mkdirSync(target, 0o700);
      }
      const inside = path.directory === '' ? path.name : `${path.directory}/${path.name}`;
      this.#directoryAttributes(entry, bytesOf(`${this.#directories.find(inside).prefix}.`), inside);
      return;
    }
    if (entry.type === 'hardlink') return this.#hardlink(entry, target);
    this.#clear(target);
    this.#make(entry, target);
  }

  #make(entry: TarEntry, target: Buffer): void {
    if (entry.type === 'file') {
      this.#file = { fd: openSync(target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600), entry, target };
      return;
    }
    if (entry.type === 'symlink') {
      symlinkSync(entry.linkPath, target);
    } else {
      const { type } = entry;
      if (type !== 'fifo' && !this.#mayMakeDevices) return this.notices.add('device', entry.path);
      makeSpecialFile(target, type === 'fifo' ? { type } : { type: type as 'char' | 'block', ...entry.device }, 0o600);
    }
    if (!this.#ids.single) lchownSync(target, entry.uid, entry.gid);
    // A name that was swapped for a link just now would be followed: chmod(2) knows no other way, so it goes through a descriptor of the file.
    if (entry.type === 'fifo') this.#chmodThrough(target, entry.mode);
    setTimes(target, entry.mtime);
  }

  #chmodThrough(target: Buffer, mode: number): void {
    const fd = openSync(target, O_RDONLY | O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      fchmodSync(fd, mode);
    } finally {
      closeSync(fd);
    }
  }

  #hardlink(entry: TarEntry, target: Buffer): void {
    const to = cleanPath(entry.linkPath);
    const source = bytesOf(this.#directories.find(to.directory).prefix + to.name);
    const stat = to.name === '' ? undefined : lstatOrNothing(source);
    if (stat === undefined || stat.isDirectory())
      throw refuseEntry(entry.path, 'the target of the hard link is not in the archive or the tree');
    if (lstatOrNothing(target)?.ino === stat.ino) return;
    this.#clear(target);
    linkSync(source, target);
  }

  /** `place` ends in `/.` of an open directory. */
  #directoryAttributes(entry: TarEntry, place: Buffer, path: string): void {
    if (this.#ids.single) keepOwner(place, entry);
    else lchownSync(place, entry.uid, entry.gid);
    chmodSync(place, entry.mode);
    applyXattrs(place, entry, entry.xattrs, this.notices);
    this.#late.set(path, entry);
  }

  #clear(target: Buffer): void {
    const stat = lstatOrNothing(target);
    if (stat === undefined) return;
    if (stat.isDirectory()) {
      emptyDirectory(target);
      rmdirSync(target);
      this.#directories.forget();
      return;
    }
    unlinkSync(target);
    if (stat.isSymbolicLink()) this.#directories.forget();
  }
}

/** What is below a directory, each one held open while it is emptied: a swap for a link leads nowhere. */
function emptyDirectory(place: Buffer): void {
  const fd = openSync(place, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  try {
    const here = Buffer.from(`${descriptorPath(fd)}/`);
    for (const name of readdirSync(here, { encoding: 'buffer' })) {
      const child = Buffer.concat([here, name]);
      if (lstatOrNothing(child)?.isDirectory() !== true) {
        unlinkSync(child);
        continue;
      }
      emptyDirectory(child);
      rmdirSync(child);
    }
  } finally {
    closeSync(fd);
  }
}

/** For messages about a tree that is no layer. */
export function plainWords(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return error instanceof EngineError ? message.replace(/^layer entry /, 'entry ') : message;
}
