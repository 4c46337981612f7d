import { chmodSync, lstatSync, readdirSync, renameSync, rmdirSync, unlinkSync, type Dirent } from 'node:fs';
import { randomHex } from '../../host/random.ts';

/** Deeper than this a directory is moved to the top of the tree first: containers can nest deeper than PATH_MAX and our stack allow. */
export const DEPTH = 32;

/**
 * Remove a file or directory with all there is below it; links are not followed, and nothing there is fine. Synchronous.
 * Directories that we own and cannot read or write are opened first. Nothing may be mounted below. Others may be removing it as well.
 * Throws errors of node:fs (EBUSY: a mount, EPERM: immutable or another's).
 */
export function removeTree(path: string | Buffer): void {
  const top = typeof path === 'string' ? Buffer.from(path) : path;
  const stat = lstatSync(top, { throwIfNoEntry: false });
  if (stat === undefined) return;
  if (!stat.isDirectory()) return unlessGone(() => unlinkSync(top));
  const removal = new Removal(top);
  for (let attempt = 1; ; attempt++) {
    removal.empty(top, 0);
    if (removedEmpty(top, attempt)) return;
  }
}

/** A process that is ending (a monitor, say) may have put a last file there: a few looks more. */
const ATTEMPTS = 5;

function removedEmpty(directory: Buffer, attempt: number): boolean {
  try {
    unlessGone(() => rmdirSync(directory));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOTEMPTY' || attempt >= ATTEMPTS) throw error;
    return false;
  }
}

class Removal {
  readonly #top: Buffer;
  readonly #deep: Buffer[] = [];

  constructor(top: Buffer) {
    this.#top = top;
  }

  empty(directory: Buffer, depth: number): void {
    for (const entry of entriesOf(directory)) {
      const path = join(directory, entry.name);
      if (!entry.isDirectory()) unlessGone(() => withAccess(directory, () => unlinkSync(path)));
      else if (depth >= DEPTH) this.#setAside(directory, path);
      else {
        this.empty(path, depth + 1);
        unlessGone(() => withAccess(directory, () => rmdirSync(path)));
      }
    }
    if (depth > 0) return;
    for (let path = this.#deep.pop(); path !== undefined; path = this.#deep.pop()) {
      this.empty(path, 1);
      rmdirSync(path);
    }
  }

  #setAside(directory: Buffer, path: Buffer): void {
    const to = join(this.#top, Buffer.from(`.removing-${randomHex(6)}`));
    // Moving a directory elsewhere rewrites its `..`, for which it must be writable.
    withAccess(directory, () => {
      withAccess(path, () => renameSync(path, to));
    });
    this.#deep.push(to);
  }
}

/** Empty for one that is gone. */
export function entriesOf(directory: Buffer): Dirent<Buffer>[] {
  const read = () => readdirSync(directory, { withFileTypes: true, encoding: 'buffer' });
  return unlessGone(() => withAccess(directory, read)) ?? [];
}

function unlessGone<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Run `work`; if the directory's own mode forbids it, open the directory for us and run it again. */
function withAccess<T>(directory: Buffer, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
    chmodSync(directory, 0o700);
    return work();
  }
}

const SLASH = Buffer.from('/');

export function join(directory: Buffer, name: Buffer): Buffer {
  return Buffer.concat([directory, SLASH, name]);
}
