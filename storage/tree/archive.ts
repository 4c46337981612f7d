/**
 * A directory tree as a tar stream, while others may be changing it.
 *
 * Every directory is held open while it is walked, and what it holds is reached through its descriptor by a single name that is never
 * followed: a directory that is swapped for a symbolic link meanwhile leads nowhere else (CVE-2023-0778).
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readlinkSync, readSync, type BigIntStats } from 'node:fs';
import { descriptorPath } from '../../host/root.ts';
import { fileTime } from '../../host/times.ts';
import { getXattr, listXattrs } from '../../host/xattr.ts';
import { withKeptOwner } from '../layer/kept-owner.ts';
import { isOverlayXattr } from '../layer/whiteout.ts';
import { paddingBytes, type TarEntry, type TarType } from '../tar/entry.ts';
import { encodeEntry, endOfArchive } from '../tar/write.ts';
import { deviceOf } from './copy.ts';

const CHUNK_BYTES = 2 ** 18;
const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW, O_NONBLOCK } = constants;

/** The tar of what is below `path`, without `path` itself. Sockets are left out. A file that shrinks while it is read is filled up with zeroes. */
export function* archiveTree(path: string): Generator<Buffer, void> {
  const top = openSync(path, O_RDONLY | O_DIRECTORY);
  try {
    yield* archiveBelow(top, Buffer.alloc(0), new Map());
  } finally {
    closeSync(top);
  }
  yield endOfArchive();
}

/** First names of files with several, by inode. */
type Linked = Map<string, Buffer>;

function* archiveBelow(directory: number, prefix: Buffer, linked: Linked): Generator<Buffer, void> {
  const here = descriptorPath(directory);
  for (const name of readdirSync(here, { encoding: 'buffer' }).toSorted((a, b) => a.compare(b))) {
    const place = Buffer.concat([Buffer.from(`${here}/`), name]);
    yield* archiveEntry(place, prefix.length === 0 ? name : Buffer.concat([prefix, SLASH, name]), linked);
  }
}

/** `place` ends in a single name below an open directory. What goes away or changes its kind just now is passed over. */
function* archiveEntry(place: Buffer, name: Buffer, linked: Linked): Generator<Buffer, void> {
  const stat = lstatSync(place, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined || stat.isSocket()) return;
  if (!stat.isFile() && !stat.isDirectory()) {
    const linkPath = stat.isSymbolicLink() ? ifThere(() => readlinkSync(place, { encoding: 'buffer' })) : EMPTY;
    if (linkPath !== undefined) yield encodeEntry(entryOf(place, name, stat, { linkPath }));
    return;
  }
  const fd = ifThere(() => openSync(place, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | (stat.isDirectory() ? O_DIRECTORY : 0)));
  if (fd === undefined) return;
  try {
    const opened = fstatSync(fd, { bigint: true });
    if (opened.isDirectory()) {
      yield encodeEntry(entryOf(place, Buffer.concat([name, SLASH]), opened));
      yield* archiveBelow(fd, name, linked);
    } else if (opened.isFile()) {
      yield* archiveFile(fd, place, name, opened, linked);
    }
  } finally {
    closeSync(fd);
  }
}

function* archiveFile(fd: number, place: Buffer, name: Buffer, stat: BigIntStats, linked: Linked): Generator<Buffer, void> {
  const key = `${stat.dev}:${stat.ino}`;
  const first = stat.nlink > 1n ? linked.get(key) : undefined;
  if (first !== undefined) {
    yield encodeEntry(entryOf(place, name, stat, { type: 'hardlink', linkPath: first }));
    return;
  }
  if (stat.nlink > 1n) linked.set(key, name);
  const sizeBytes = Number(stat.size);
  yield encodeEntry(entryOf(place, name, stat, { sizeBytes }));
  for (let left = sizeBytes; left > 0;) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, left));
    const length = readSync(fd, chunk);
    left -= length === 0 ? chunk.length : length;
    yield length === 0 ? chunk : chunk.subarray(0, length);
  }
  yield Buffer.alloc(paddingBytes(sizeBytes));
}

interface EntryParts {
  readonly type?: TarType;
  readonly linkPath?: Buffer;
  readonly sizeBytes?: number;
}

function entryOf(place: Buffer, path: Buffer, stat: BigIntStats, parts: EntryParts = {}): TarEntry {
  return withKeptOwner({
    type: parts.type ?? typeOf(stat),
    path,
    linkPath: parts.linkPath ?? EMPTY,
    mode: Number(stat.mode & 0o7777n),
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    sizeBytes: parts.sizeBytes ?? 0,
    mtime: fileTime(stat.mtimeNs),
    device: stat.isBlockDevice() || stat.isCharacterDevice() ? deviceOf(stat.rdev) : { major: 0, minor: 0 },
    xattrs: parts.type === 'hardlink' ? new Map() : xattrsOf(place),
  });
}

function typeOf(stat: BigIntStats): TarType {
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isFIFO()) return 'fifo';
  if (stat.isBlockDevice()) return 'block';
  return stat.isCharacterDevice() ? 'char' : 'file';
}

/** Those that mean something elsewhere: labels and the state of an overlay belong to this machine. */
function xattrsOf(place: Buffer): ReadonlyMap<string, Buffer> {
  const found = new Map<string, Buffer>();
  for (const name of listXattrs(place)) {
    if ((name !== 'security.capability' && !name.startsWith('user.')) || isOverlayXattr(name)) continue;
    const value = getXattr(place, name);
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

/** Undefined when it went away, or became something else, in the meantime. */
function ifThere<T>(look: () => T): T | undefined {
  try {
    return look();
  } catch (error) {
    if (error instanceof Error && GONE.test(error.message)) return undefined;
    throw error;
  }
}

const GONE = /\b(ENOENT|ENOTDIR|ELOOP|EINVAL|EISDIR|ENXIO)\b/;
const SLASH = Buffer.from('/');
const EMPTY = Buffer.alloc(0);
