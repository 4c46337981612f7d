/**
 * Puts the entries of one layer tar into an empty directory, as overlayfs wants a lower layer.
 *
 * Each entry is made new, never written into: what stands under its name is taken away first, so no link is followed and no inode is shared by accident.
 * Bodies that lose their file to a later entry are moved to `kept/` and noted in the record; bodies that never get a file go into the record.
 * Everything is synchronous: per-file promises would cost more than the files.
 */
import {
  chmodSync,
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
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeSync,
  type Stats,
} from 'node:fs';
import { join } from 'node:path';
import { isInitialUserNamespace } from '../../host/identity.ts';
import { makeSpecialFile } from '../../host/mknod.ts';
import { setTimes, setTimesOf } from '../../host/times.ts';
import type { TarEntry } from '../tar/entry.ts';
import type { TarHandler } from '../tar/parser.ts';
import type { FilesAtHand } from './at-hand.ts';
import { applyXattrs, lateXattrs } from './attributes.ts';
import { bytesOf, TreeDirectories, type OpenDirectory } from './directories.ts';
import { cleanPath, parseWhiteout, type EntryPath } from './entry-path.ts';
import { checkIds, type IdSpace } from './ids.ts';
import { keepOwner } from './kept-owner.ts';
import type { LayerLimits } from './limits.ts';
import { Notices } from './notices.ts';
import type { RecordWriter } from './record.ts';
import { entryError, refuseEntry } from './refuse.ts';
import { isWhiteout, lstatOrNothing, makeOpaque, makeWhiteout } from './whiteout.ts';

export interface PlacerOptions {
  /** Empty and ours alone. */
  readonly tree: string;
  /** Where displaced files go; made when needed, on the same file system. */
  readonly kept: string;
  readonly record: RecordWriter;
  readonly ids: IdSpace;
  readonly limits: LayerLimits;
  readonly atHand?: FilesAtHand | undefined;
}

interface OpenFile {
  readonly fd: number;
  readonly target: Buffer;
  readonly entry: TarEntry;
}

const SPECIAL_BITS = 0o7000;
const SETGID = 0o2000;

export class Placer implements TarHandler, Disposable {
  readonly notices = new Notices();
  readonly #options: PlacerOptions;
  readonly #directories: TreeDirectories;
  /** Directories by path: what may only be set when nothing is put into them any more. */
  readonly #late = new Map<string, TarEntry>();
  readonly #uid = process.geteuid!();
  readonly #gid = process.getegid!();
  readonly #umask = process.umask();
  readonly #mayMakeDevices = isInitialUserNamespace();
  #file: OpenFile | 'taken' | undefined;
  #kept = 0;
  #entries = 0;
  #fileBytes = 0;

  constructor(options: PlacerOptions) {
    this.#options = options;
    // A setgid bit or group inherited from the store's parent would spread over the whole tree.
    lchownSync(options.tree, this.#uid, this.#gid);
    chmodSync(options.tree, 0o755);
    this.#directories = new TreeDirectories(options.tree);
  }

  get entries(): number {
    return this.#entries;
  }

  /** Of all regular files, as stated in their headers. */
  get fileBytes(): number {
    return this.#fileBytes;
  }

  raw(bytes: Buffer): void {
    this.#options.record.raw(bytes);
  }

  entry(entry: TarEntry): void {
    if (++this.#entries > this.#options.limits.maxEntries)
      throw refuseEntry(entry.path, `more than ${this.#options.limits.maxEntries} entries`);
    try {
      this.#place(entry);
    } catch (error) {
      throw entryError(entry.path, error);
    }
  }

  body(bytes: Buffer): void {
    if (this.#file === undefined) {
      this.#options.record.raw(bytes);
      return;
    }
    if (this.#file === 'taken') return;
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
    if (file === 'taken') return;
    try {
      this.#finishFile(file);
    } catch (error) {
      throw entryError(file.entry.path, error);
    } finally {
      closeSync(file.fd);
    }
  }

  /** Times of directories, and what children would have inherited. Nothing may be placed afterwards. */
  finish(): void {
    for (const [path, entry] of this.#late) {
      const found = this.#stillThere(path);
      if (found === undefined) continue;
      const target = bytesOf(`${found.prefix}.`);
      if ((entry.mode & SETGID) !== 0) chmodSync(target, entry.mode);
      applyXattrs(target, entry, lateXattrs(entry), this.notices);
      setTimes(target, entry.mtime);
    }
    this.#late.clear();
  }

  [Symbol.dispose](): void {
    if (typeof this.#file === 'object') closeSync(this.#file.fd);
    this.#file = undefined;
    this.#directories[Symbol.dispose]();
  }

  #place(entry: TarEntry): void {
    this.#directories.release();
    const path = cleanPath(entry.path);
    if (path.depth > this.#options.limits.maxDepth)
      throw refuseEntry(entry.path, `deeper than ${this.#options.limits.maxDepth} directories`);
    const whiteout = parseWhiteout(entry, path.name);
    if (whiteout?.kind === 'metadata') return;
    if (whiteout?.kind === 'opaque') return this.#opaque(path);
    if (whiteout?.kind === 'hides') return this.#whiteout(path, whiteout.name);
    if (!this.#options.ids.single) checkIds(this.#options.ids, entry.uid, entry.gid, entry.path);
    if (path.name === '') return this.#top(entry);
    const directory = this.#directories.ensure(path.directory, { revive: true })!;
    switch (entry.type) {
      case 'file':
        return this.#createFile(entry, directory, path);
      case 'directory':
        return this.#makeDirectory(entry, directory, path.name);
      case 'symlink':
        return this.#symlink(entry, directory, path.name);
      case 'hardlink':
        return this.#hardlink(entry, directory, path.name);
      case 'fifo':
      case 'char':
      case 'block':
        return this.#special(entry, directory, path.name);
    }
  }

  #top(entry: TarEntry): void {
    if (entry.type !== 'directory') throw refuseEntry(entry.path, 'only a directory can be the top of a layer');
    this.#directoryAttributes(entry, bytesOf(`${this.#directories.find('').prefix}.`), '');
  }

  #createFile(entry: TarEntry, directory: OpenDirectory, path: EntryPath): void {
    const { name } = path;
    const target = bytesOf(directory.prefix + name);
    if (this.#options.atHand?.link(path, target, entry) === true) this.#file = 'taken';
    else {
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
      const fd = this.#inPlace(directory, name, target, () => openSync(target, flags, entry.mode & 0o777));
      this.#file = { fd, target, entry };
    }
    this.#fileBytes += entry.sizeBytes;
    if (entry.sizeBytes > 0) this.#options.record.body(bytesOf(within(directory, name)), entry.sizeBytes);
  }

  /** chown(2) takes setuid bits and capabilities away and writing does too: owner first, then mode, then attributes, times last. */
  #finishFile({ fd, target, entry }: OpenFile): void {
    if (this.#changesOwner(entry)) fchownSync(fd, entry.uid, entry.gid);
    else if (this.#isForeign(entry)) keepOwner(target, entry);
    if ((entry.mode & (SPECIAL_BITS | this.#umask)) !== 0) fchmodSync(fd, entry.mode);
    if (entry.xattrs.size > 0) applyXattrs(target, entry, entry.xattrs, this.notices);
    setTimesOf(fd, entry.mtime);
  }

  #makeDirectory(entry: TarEntry, directory: OpenDirectory, name: string): void {
    const target = bytesOf(directory.prefix + name);
    const existing = lstatOrNothing(target);
    if (existing?.isDirectory() !== true) {
      if (existing !== undefined) this.#displace(directory, name, existing);
      mkdirSync(target, 0o700);
      if (existing !== undefined && isWhiteout(existing)) makeOpaque(target);
    }
    this.#directoryAttributes(entry, target, within(directory, name));
  }

  #directoryAttributes(entry: TarEntry, target: Buffer, path: string): void {
    if (this.#changesOwner(entry) || !this.#options.ids.single) lchownSync(target, entry.uid, entry.gid);
    else keepOwner(target, entry);
    chmodSync(target, entry.mode & ~SETGID);
    if (entry.xattrs.size > 0) applyXattrs(target, entry, entry.xattrs, this.notices, lateXattrs(entry));
    this.#late.delete(path);
    this.#late.set(path, entry);
  }

  #symlink(entry: TarEntry, directory: OpenDirectory, name: string): void {
    const target = bytesOf(directory.prefix + name);
    this.#inPlace(directory, name, target, () => symlinkSync(entry.linkPath, target));
    if (this.#changesOwner(entry)) lchownSync(target, entry.uid, entry.gid);
    if (entry.xattrs.size > 0) applyXattrs(target, entry, entry.xattrs, this.notices);
    setTimes(target, entry.mtime);
  }

  /** link(2) does not follow a link, and mode, owner and times are the inode's already: a hard link sets none (hostile.md T07). */
  #hardlink(entry: TarEntry, directory: OpenDirectory, name: string): void {
    const to = cleanPath(entry.linkPath);
    const source = bytesOf(this.#directories.find(to.directory).prefix + to.name);
    const stat = to.name === '' ? undefined : lstatOrNothing(source);
    if (stat === undefined || stat.isDirectory() || isWhiteout(stat))
      throw refuseEntry(entry.path, 'the target of the hard link is not in the layer');
    const target = bytesOf(directory.prefix + name);
    const existing = lstatOrNothing(target);
    if (existing !== undefined && existing.ino === stat.ino) return;
    this.#inPlace(directory, name, target, () => linkSync(source, target));
  }

  #special(entry: TarEntry, directory: OpenDirectory, name: string): void {
    const { type } = entry;
    if (type === 'char' && entry.device.major === 0 && entry.device.minor === 0) return this.notices.add('whiteout-device', entry.path);
    if (type !== 'fifo' && !this.#mayMakeDevices) return this.notices.add('device', entry.path);
    const target = bytesOf(directory.prefix + name);
    const file = type === 'fifo' ? { type } : { type: type as 'char' | 'block', ...entry.device };
    this.#inPlace(directory, name, target, () => makeSpecialFile(target, file, entry.mode & 0o777));
    if (this.#changesOwner(entry)) lchownSync(target, entry.uid, entry.gid);
    chmodSync(target, entry.mode);
    if (entry.xattrs.size > 0) applyXattrs(target, entry, entry.xattrs, this.notices);
    setTimes(target, entry.mtime);
  }

  #opaque(path: EntryPath): void {
    const directory = this.#directories.ensure(path.directory, { revive: true })!;
    makeOpaque(bytesOf(`${directory.prefix}.`));
  }

  /**
   * Something of the same layer under that name stays: a whiteout only hides what is below (image-spec). A directory of the same layer then
   * must not be merged with its namesake below, so it becomes opaque.
   */
  #whiteout(path: EntryPath, name: string): void {
    const directory = this.#directories.ensure(path.directory, { revive: false });
    if (directory === undefined) return;
    const target = bytesOf(directory.prefix + name);
    const existing = lstatOrNothing(target);
    if (existing === undefined) makeWhiteout(target);
    else if (existing.isDirectory()) makeOpaque(target);
  }

  /** Run `make`; when the name is taken, clear it and run it again. */
  #inPlace<T>(directory: OpenDirectory, name: string, target: Buffer, make: () => T): T {
    try {
      return make();
    } catch (error) {
      const existing = lstatOrNothing(target);
      if (existing === undefined) throw error;
      this.#displace(directory, name, existing);
    }
    return make();
  }

  #displace(directory: OpenDirectory, name: string, stat: Stats): void {
    const target = bytesOf(directory.prefix + name);
    const path = within(directory, name);
    if (stat.isDirectory()) {
      this.#displaceTree(target, path);
      this.#directories.forget();
    } else if (stat.isFile() && stat.size > 0) {
      this.#keep(target, path);
    } else {
      unlinkSync(target);
      if (stat.isSymbolicLink()) this.#directories.forget();
    }
  }

  /** The tree is ours and holds real directories under these names, so paths are enough here. */
  #displaceTree(target: Buffer, path: string): void {
    for (const name of readdirSync(target, { encoding: 'buffer' })) {
      const child = Buffer.concat([target, SLASH, name]);
      const childPath = `${path}/${name.toString('latin1')}`;
      const stat = lstatSync(child);
      if (stat.isDirectory()) this.#displaceTree(child, childPath);
      else if (stat.isFile() && stat.size > 0) this.#keep(child, childPath);
      else unlinkSync(child);
    }
    rmdirSync(target);
  }

  #keep(target: Buffer, path: string): void {
    if (this.#kept === 0) mkdirSync(this.#options.kept, 0o700);
    renameSync(target, join(this.#options.kept, String(this.#kept)));
    this.#options.record.moved(bytesOf(path), this.#kept++);
  }

  #stillThere(path: string): OpenDirectory | undefined {
    try {
      const directory = this.#directories.find(path);
      return directory.path === path ? directory : undefined;
    } catch {
      return undefined;
    }
  }

  #isForeign(entry: TarEntry): boolean {
    return entry.uid !== this.#uid || entry.gid !== this.#gid;
  }

  #changesOwner(entry: TarEntry): boolean {
    if (!this.#isForeign(entry)) return false;
    if (!this.#options.ids.single) return true;
    this.notices.add('owner', entry.path);
    return false;
  }
}

const SLASH = Buffer.from('/');

function within(directory: OpenDirectory, name: string): string {
  return directory.path === '' ? name : `${directory.path}/${name}`;
}
