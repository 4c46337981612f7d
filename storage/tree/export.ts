/**
 * A directory tree as a tar: names as bytes, hard links, extended attributes, devices and pipes. Sockets are left out, a tar has no word for them.
 *
 * Somebody may be at work in the tree, and may be hostile: each directory is opened once, without following links, and everything in it is reached
 * through that descriptor by its bare name. So a directory that is swapped for a link leads nowhere. A file that grows or shrinks while it is read
 * is cut or filled up with zeros: its header has gone out before.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, read, readdirSync, readlinkSync, type BigIntStats } from 'node:fs';
import { descriptorPath } from '../../host/root.ts';
import { getXattr, listXattrs } from '../../host/xattr.ts';
import { withKeptOwner } from '../layer/kept-owner.ts';
import { isOverlayXattr } from '../layer/whiteout.ts';
import type { Output } from '../transport/output.ts';
import { NO_XATTRS, type TarEntry, type TarType } from '../tar/entry.ts';
import { encodeEntry, endOfArchive, paddingFor } from '../tar/write.ts';

export interface ExportOptions {
  /** The owner that the archive says, for the one found. */
  readonly mapIds?: ((uid: number, gid: number) => { readonly uid: number; readonly gid: number }) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Write all that is below `top`, a directory before what it holds, names in byte order. `output` is neither finished nor disposed. */
export async function exportTree(top: string, output: Output, options: ExportOptions = {}): Promise<void> {
  await new TreeExport(output, options).run(top);
}

const CHUNK_BYTES = 2 ** 20;

class TreeExport {
  readonly #output: Output;
  readonly #options: ExportOptions;
  readonly #linked = new Map<string, Buffer>();
  /** Small pieces are gathered: each write is a trip to another thread. */
  #pending: Buffer[] = [];
  #pendingBytes = 0;

  constructor(output: Output, options: ExportOptions) {
    this.#output = output;
    this.#options = options;
  }

  async run(top: string): Promise<void> {
    const fd = openSync(top, constants.O_RDONLY | constants.O_DIRECTORY);
    try {
      await this.#directory(fd, EMPTY);
    } finally {
      closeSync(fd);
    }
    await this.#write(endOfArchive());
    await this.#flush();
  }

  async #directory(fd: number, prefix: Buffer): Promise<void> {
    const here = Buffer.from(`${descriptorPath(fd)}/`);
    for (const name of readdirSync(here, { encoding: 'buffer' }).toSorted((a, b) => a.compare(b))) {
      this.#options.signal?.throwIfAborted();
      await this.#entry(Buffer.concat([here, name]), Buffer.concat([prefix, name]));
    }
  }

  /** `path` reaches it, `name` is what the archive calls it. What has gone meanwhile is passed over. */
  async #entry(path: Buffer, name: Buffer): Promise<void> {
    const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    const type = stat && typeOf(stat);
    if (stat === undefined || type === undefined) return;
    if (type === 'directory') return this.#openDirectory(path, name);
    if (stat.nlink > 1n) {
      const key = `${stat.dev}:${stat.ino}`;
      const first = this.#linked.get(key);
      if (first) return this.#write(encodeEntry({ ...this.#describe(stat, 'hardlink', name, NO_XATTRS), linkPath: first }));
      this.#linked.set(key, name);
    }
    if (type === 'file') return this.#file(path, name);
    const entry = this.#describe(stat, type, name, xattrsOf(path));
    await this.#write(encodeEntry(type === 'symlink' ? { ...entry, linkPath: readlinkSync(path, { encoding: 'buffer' }) } : entry));
  }

  async #openDirectory(path: Buffer, name: Buffer): Promise<void> {
    const fd = openIfThere(path, constants.O_DIRECTORY);
    if (fd === undefined) return;
    try {
      const stat = fstatSync(fd, { bigint: true });
      const slashed = Buffer.concat([name, SLASH]);
      // With the slash the link to the descriptor is followed, to the directory itself.
      await this.#write(encodeEntry(this.#describe(stat, 'directory', slashed, xattrsOf(Buffer.from(`${descriptorPath(fd)}/`)))));
      await this.#directory(fd, slashed);
    } finally {
      closeSync(fd);
    }
  }

  async #file(path: Buffer, name: Buffer): Promise<void> {
    const fd = openIfThere(path, constants.O_NONBLOCK);
    if (fd === undefined) return;
    try {
      const stat = fstatSync(fd, { bigint: true });
      if (!stat.isFile()) return;
      const sizeBytes = Number(stat.size);
      await this.#write(encodeEntry({ ...this.#describe(stat, 'file', name, xattrsOf(path)), sizeBytes }));
      for (let left = sizeBytes; left > 0;) {
        this.#options.signal?.throwIfAborted();
        const chunk = Buffer.allocUnsafe(Math.min(left, CHUNK_BYTES));
        const count = await readSome(fd, chunk);
        if (count < chunk.length) chunk.fill(0, count);
        // A short read is the end, or a file that is being cut: the rest is zeros then, too.
        const used = count === 0 ? chunk : chunk.subarray(0, count);
        await this.#write(used);
        left -= used.length;
      }
      await this.#write(paddingFor(sizeBytes));
    } finally {
      closeSync(fd);
    }
  }

  #describe(stat: BigIntStats, type: TarType, path: Buffer, xattrs: ReadonlyMap<string, Buffer>): TarEntry {
    const owner = { uid: Number(stat.uid), gid: Number(stat.gid) };
    const nanoseconds = Number(((stat.mtimeNs % BILLION) + BILLION) % BILLION);
    return withKeptOwner({
      type,
      path,
      linkPath: EMPTY,
      mode: Number(stat.mode & 0o7777n),
      ...(this.#options.mapIds?.(owner.uid, owner.gid) ?? owner),
      sizeBytes: 0,
      mtime: { seconds: Number((stat.mtimeNs - BigInt(nanoseconds)) / BILLION), nanoseconds },
      device: deviceOf(stat.rdev),
      xattrs,
    });
  }

  async #write(bytes: Buffer): Promise<void> {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes >= CHUNK_BYTES) await this.#flush();
  }

  async #flush(): Promise<void> {
    const bytes = this.#pending.length === 1 ? this.#pending[0]! : Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (bytes.length > 0) await this.#output.write(bytes);
  }
}

const EMPTY = Buffer.alloc(0);
const SLASH = Buffer.from('/');
const BILLION = 1_000_000_000n;
/** What another process set on the file for this machine alone. */
const LOCAL_XATTRS = new Set(['security.selinux', 'security.ima', 'security.evm']);

function typeOf(stat: BigIntStats): TarType | undefined {
  if (stat.isFile()) return 'file';
  if (stat.isDirectory()) return 'directory';
  if (stat.isSymbolicLink()) return 'symlink';
  if (stat.isCharacterDevice()) return 'char';
  if (stat.isBlockDevice()) return 'block';
  return stat.isFIFO() ? 'fifo' : undefined;
}

/** Undefined when it is no longer what it was: gone, or a link. */
function openIfThere(path: Buffer, flag: number): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | flag);
  } catch (error) {
    if (['ENOENT', 'ELOOP', 'ENOTDIR', 'ENXIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function xattrsOf(path: Buffer): ReadonlyMap<string, Buffer> {
  const names = listXattrs(path).filter((name) => !isOverlayXattr(name) && !LOCAL_XATTRS.has(name));
  if (names.length === 0) return NO_XATTRS;
  const found = names.flatMap((name) => {
    const value = getXattr(path, name);
    return value === undefined ? [] : [[name, Buffer.from(value)] as const];
  });
  return new Map(found);
}

/** dev_t of Linux: 12 bits of major and 8 of minor where they always were, the rest above (sys/sysmacros.h). */
function deviceOf(rdev: bigint): { major: number; minor: number } {
  return {
    major: Number(((rdev >> 8n) & 0xfffn) | ((rdev >> 32n) & ~0xfffn)),
    minor: Number((rdev & 0xffn) | ((rdev >> 12n) & ~0xffn)),
  };
}

function readSome(fd: number, chunk: Buffer): Promise<number> {
  return new Promise((done, fail) => read(fd, chunk, 0, chunk.length, null, (error, count) => (error ? fail(error) : done(count))));
}
