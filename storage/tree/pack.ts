/**
 * A tree that somebody else may be changing, read as the members of a tar.
 * Every step is one name below an open directory, links never followed, so nothing that happens to the tree meanwhile leads out of it
 * (hostile.md C02: a directory swapped for a link between two looks).
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  statfsSync,
  type BigIntStats,
} from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { syscallError } from '../../host/libc.ts';
import { descriptorPath } from '../../host/root.ts';
import { fileTime } from '../../host/times.ts';
import { getXattr, listXattrs } from '../../host/xattr.ts';
import { withKeptOwner } from '../layer/kept-owner.ts';
import { isOverlayXattr } from '../layer/whiteout.ts';
import { NO_XATTRS, type TarEntry, type TarType } from '../tar/entry.ts';
import { noBody, type TarMember } from '../tar/read.ts';
import { deviceOf } from './copy.ts';

export interface PackOptions {
  /** Everything belongs to it in the archive. Absent: owners as they are. */
  readonly owner?: { readonly uid: number; readonly gid: number } | undefined;
  /** Pass over what may not be read, as a running container's special files. */
  readonly skipUnreadable?: boolean;
  /** Names directly below the top that are left out. */
  readonly leaveOut?: readonly string[];
  /** Extended attributes to take along. Default: `user.*` and file capabilities. Marks of overlayfs never are. */
  readonly keepXattr?: (name: string) => boolean;
}

/**
 * The entry `name` of the open directory `parent` and all below it, as `as` in the archive; an `as` that is empty stands for what a directory
 * holds without the directory itself. The bodies must be read in order, each before the next member is asked for.
 */
export async function* packTree(parent: number, name: Buffer, as: Buffer, options: PackOptions = {}): AsyncGenerator<TarMember, void> {
  yield* new TreePacker(options).entry(parent, name, as);
}

/** Each level holds a descriptor open. */
const MAX_DEPTH = 500;
const READ_BYTES = 2 ** 20;
const SLASH = Buffer.from('/');
/** statfs(2): proc, sysfs, cgroup, cgroup2. Their files are no data. */
const KERNEL_FILE_SYSTEMS = [0x9fa0, 0x62656572, 0x27e0eb, 0x63677270];

/** Several entries of one archive: names of the same file become hard links. */
export class TreePacker {
  readonly #options: PackOptions;
  /** Where a file with several names stands in the archive. */
  readonly #linked = new Map<string, Buffer>();

  constructor(options: PackOptions) {
    this.#options = options;
  }

  /** See packTree. */
  entry(parent: number, name: Buffer, as: Buffer): AsyncGenerator<TarMember, void> {
    return this.#entry(parent, name, as, 0);
  }

  /** The entry alone: of a directory, nothing of what it holds. */
  async *shallow(parent: number, name: Buffer, as: Buffer): AsyncGenerator<TarMember, void> {
    for await (const first of this.#entry(parent, name, as, 0)) {
      yield first;
      return;
    }
  }

  async *#entry(parent: number, name: Buffer, as: Buffer, depth: number): AsyncGenerator<TarMember, void> {
    const path = below(parent, name);
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) return;
    if (stat.isDirectory()) yield* this.#directory(path, as, depth);
    else if (stat.isFile()) yield* this.#file(path, as);
    else if (stat.isSymbolicLink()) yield* this.#link(path, as, stat);
    else if (!stat.isSocket()) yield member(this.#describe(path, as, stat, specialType(stat)));
  }

  async *#directory(path: Buffer, as: Buffer, depth: number): AsyncGenerator<TarMember, void> {
    const fd = this.#open(path, as, constants.O_RDONLY | constants.O_DIRECTORY);
    if (fd === undefined) return;
    try {
      if (depth > 0 && KERNEL_FILE_SYSTEMS.includes(statfsSync(descriptorPath(fd)).type)) return;
      if (depth > MAX_DEPTH) throw new EngineError('INVALID_ARGUMENT', `${printed(as)}: directories are nested deeper than ${MAX_DEPTH}`);
      if (as.length > 0) {
        const own = Buffer.from(`${descriptorPath(fd)}/.`);
        yield member(this.#describe(own, Buffer.concat([as, SLASH]), fstatSync(fd, { bigint: true }), 'directory'));
      }
      for (const name of namesIn(fd)) {
        if (depth === 0 && this.#options.leaveOut?.includes(name.toString('latin1'))) continue;
        yield* this.#entry(fd, name, as.length === 0 ? name : Buffer.concat([as, SLASH, name]), depth + 1);
      }
    } finally {
      closeSync(fd);
    }
  }

  async *#file(path: Buffer, as: Buffer): AsyncGenerator<TarMember, void> {
    const fd = this.#open(path, as, constants.O_RDONLY | constants.O_NONBLOCK);
    if (fd === undefined) return;
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (!stat.isFile()) return;
      const first = this.#firstName(stat, as);
      const entry = this.#describe(path, as, stat, first === undefined ? 'file' : 'hardlink');
      if (first !== undefined) yield member({ ...entry, linkPath: first });
      else yield { entry: { ...entry, sizeBytes: Number(stat.size) }, body: contentOf(fd, Number(stat.size), as) };
    } finally {
      closeSync(fd);
    }
  }

  *#link(path: Buffer, as: Buffer, stat: BigIntStats): Generator<TarMember, void> {
    let target: Buffer;
    try {
      target = readlinkSync(path, { encoding: 'buffer' });
    } catch {
      // Something else by now.
      return;
    }
    yield member({ ...this.#describe(path, as, stat, 'symlink'), linkPath: target });
  }

  #firstName(stat: BigIntStats, as: Buffer): Buffer | undefined {
    if (stat.nlink < 2n) return undefined;
    const key = `${stat.dev}:${stat.ino}`;
    const first = this.#linked.get(key);
    if (first === undefined) this.#linked.set(key, as);
    return first;
  }

  #describe(path: Buffer, as: Buffer, stat: BigIntStats, type: TarType): TarEntry {
    const { owner } = this.#options;
    const entry = withKeptOwner({
      type,
      path: as,
      linkPath: Buffer.alloc(0),
      mode: Number(stat.mode & 0o7777n),
      uid: Number(stat.uid),
      gid: Number(stat.gid),
      sizeBytes: 0,
      mtime: fileTime(stat.mtimeNs),
      device: type === 'char' || type === 'block' ? deviceOf(stat.rdev) : { major: 0, minor: 0 },
      xattrs: type === 'file' || type === 'directory' ? xattrsOf(path, this.#options.keepXattr ?? isPortable) : NO_XATTRS,
    });
    return owner === undefined ? entry : { ...entry, ...owner };
  }

  /** Undefined for what is gone, was swapped for something else, or may not be read. */
  #open(path: Buffer, as: Buffer, flags: number): number | undefined {
    try {
      return openSync(path, flags | constants.O_NOFOLLOW);
    } catch (error) {
      const { code, errno } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ELOOP' || code === 'ENOTDIR' || code === 'ENXIO') return undefined;
      if (this.#options.skipUnreadable === true && (code === 'EACCES' || code === 'EPERM')) return undefined;
      throw errno === undefined ? error : syscallError('open', printed(as), -errno);
    }
  }
}

function member(entry: TarEntry): TarMember {
  return { entry, body: noBody() };
}

/** Exactly `sizeBytes`: a file that grows meanwhile is cut there, one that shrinks is an error. */
async function* contentOf(fd: number, sizeBytes: number, as: Buffer): AsyncGenerator<Buffer, void> {
  for (let left = sizeBytes; left > 0;) {
    const chunk = Buffer.allocUnsafe(Math.min(READ_BYTES, left));
    const count = readSync(fd, chunk, 0, chunk.length, sizeBytes - left);
    if (count === 0) throw new EngineError('WRONG_STATE', `${printed(as)} became shorter while it was copied`);
    left -= count;
    yield chunk.subarray(0, count);
  }
}

function namesIn(fd: number): Buffer[] {
  return readdirSync(descriptorPath(fd), { encoding: 'buffer' }).toSorted((a, b) => a.compare(b));
}

function below(directory: number, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${descriptorPath(directory)}/`), name]);
}

function specialType(stat: BigIntStats): TarType {
  if (stat.isFIFO()) return 'fifo';
  return stat.isBlockDevice() ? 'block' : 'char';
}

function isPortable(name: string): boolean {
  return name.startsWith('user.') || name === 'security.capability';
}

function xattrsOf(path: Buffer, keep: (name: string) => boolean): ReadonlyMap<string, Buffer> {
  const names = listXattrs(path).filter((name) => keep(name) && !isOverlayXattr(name));
  return new Map(names.map((name) => [name, getXattr(path, name)]).filter((pair): pair is [string, Buffer] => pair[1] !== undefined));
}

function printed(name: Buffer): string {
  return JSON.stringify(name.toString('utf8'));
}
