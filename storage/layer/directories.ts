import { closeSync, constants, mkdirSync, readlinkSync, unlinkSync } from 'node:fs';
import { O_PATH, Root, descriptorPath } from '../../host/root.ts';
import { refuseEntry, systemCode } from './refuse.ts';
import { isWhiteout, lstatOrNothing, makeOpaque } from './whiteout.ts';

/**
 * A directory of the tree, held open. Names are latin1 strings: one character per byte, so that names that are no UTF-8 pass through unharmed.
 */
export interface OpenDirectory {
  readonly fd: number;
  /** Put a name behind it to reach an entry: the directory part is the open descriptor, so nobody can swap it for a link. */
  readonly prefix: string;
  /** Within the tree, links on the way followed; empty for the top. */
  readonly path: string;
}

const CACHED = 64;

/**
 * The directories of a tree that is being filled, resolved inside it whatever links it holds (openat2 with RESOLVE_IN_ROOT).
 * Keeps the last few open: archives list a directory's entries together. A returned directory is good until the next 63 calls.
 */
export class TreeDirectories implements Disposable {
  readonly #root: Root;
  readonly #rootPath: string;
  readonly #open = new Map<string, OpenDirectory>();
  readonly #forgotten: OpenDirectory[] = [];

  constructor(path: string) {
    this.#root = new Root(path);
    this.#rootPath = realPath(this.#root.fd);
  }

  /** `path` without `.` and `..`. Throws SYSCALL (ENOENT, ENOTDIR, ELOOP). */
  find(path: string): OpenDirectory {
    const cached = this.#open.get(path);
    if (cached !== undefined) {
      this.#open.delete(path);
      this.#open.set(path, cached);
      return cached;
    }
    if (this.#open.size >= CACHED) this.#close(this.#open.keys().next().value!);
    const fd = this.#root.open(path === '' ? '.' : bytesOf(path), O_PATH | constants.O_DIRECTORY);
    const directory = { fd, prefix: `${descriptorPath(fd)}/`, path: realPath(fd).slice(this.#rootPath.length + 1) };
    this.#open.set(path, directory);
    return directory;
  }

  /**
   * As find; what is missing is made, 0755. A whiteout on the way becomes an opaque directory (something new stands where something old was deleted);
   * with `revive: false` it stays, and the answer is undefined.
   * Throws LAYER_REFUSED when a file or dangling link is in the way.
   */
  ensure(path: string, options: { revive: boolean }): OpenDirectory | undefined {
    try {
      return this.find(path);
    } catch (error) {
      const code = systemCode(error);
      if (path === '' || (code !== 'ENOENT' && code !== 'ENOTDIR')) throw error;
    }
    const slash = path.lastIndexOf('/');
    const parent = this.ensure(slash === -1 ? '' : path.slice(0, slash), options);
    if (parent === undefined) return undefined;
    const target = bytesOf(parent.prefix + path.slice(slash + 1));
    const existing = lstatOrNothing(target);
    if (existing === undefined) {
      mkdirSync(target, 0o755);
    } else if (isWhiteout(existing)) {
      if (!options.revive) return undefined;
      unlinkSync(target);
      mkdirSync(target, 0o755);
      makeOpaque(target);
    } else {
      throw refuseEntry(bytesOf(path), 'a parent is not a directory');
    }
    return this.find(path);
  }

  /** To be called when a directory or link was taken away: cached paths may lead elsewhere now. Those handed out stay good until `release`. */
  forget(): void {
    this.#forgotten.push(...this.#open.values());
    this.#open.clear();
  }

  /** To be called when none that was handed out is in use. */
  release(): void {
    for (const { fd } of this.#forgotten.splice(0)) closeSync(fd);
  }

  [Symbol.dispose](): void {
    this.forget();
    this.release();
    this.#root[Symbol.dispose]();
  }

  #close(path: string): void {
    closeSync(this.#open.get(path)!.fd);
    this.#open.delete(path);
  }
}

export function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, 'latin1');
}

function realPath(fd: number): string {
  return readlinkSync(descriptorPath(fd), { encoding: 'buffer' }).toString('latin1');
}
