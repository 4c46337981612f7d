/**
 * A file in the making that has no name (O_TMPFILE, open(2)): whoever is killed while writing it leaves nothing, and it appears whole or not at all.
 * Where the file system has no such files, it is made under a name that starts with a dot and says what it is.
 */
import { closeSync, constants, openSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bind, errno, ERRNO, syscallError } from './libc.ts';
import { randomHex } from './random.ts';

const linkat = bind('int linkat(int olddirfd, const char *oldpath, int newdirfd, const char *newpath, int flags)');

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
/** fcntl.h; Node does not name it. It is only honoured together with O_DIRECTORY, which differs between machines. */
const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
const UNSUPPORTED = new Set(['EOPNOTSUPP', 'ENOTSUP', 'EISDIR', 'EINVAL']);

export class UnnamedFile implements Disposable {
  readonly fd: number;
  readonly #directory: string;
  #partial: string | undefined;
  #open = true;

  private constructor(directory: string, fd: number, partial?: string) {
    this.#directory = directory;
    this.fd = fd;
    this.#partial = partial;
  }

  /** For reading and writing, in `directory`. `mode` is cut by the umask. Throws what open(2) says. */
  static make(directory: string, mode = 0o666): UnnamedFile {
    try {
      return new UnnamedFile(directory, openSync(directory, O_TMPFILE | constants.O_RDWR, mode));
    } catch (error) {
      if (!UNSUPPORTED.has((error as NodeJS.ErrnoException).code ?? '')) throw error;
      const partial = join(directory, `.lichen-partial-${randomHex(8)}`);
      return new UnnamedFile(directory, openSync(partial, 'wx+', mode), partial);
    }
  }

  /** Give it its name in its directory. False when there is such a file already and it must not be `replaced`. */
  publish(name: string, options: { readonly replace: boolean }): boolean {
    const path = join(this.#directory, basename(name));
    if (this.#partial === undefined) {
      if (this.#link(path)) return true;
      if (!options.replace) return false;
      this.#partial = join(this.#directory, `.lichen-partial-${randomHex(8)}`);
      if (!this.#link(this.#partial)) return false;
    } else if (!options.replace) {
      return linkat(AT_FDCWD, this.#partial, AT_FDCWD, path, 0) === 0 || refuseUnlessThere(path);
    }
    renameSync(this.#partial, path);
    this.#partial = undefined;
    return true;
  }

  /** Removes what was not published. */
  [Symbol.dispose](): void {
    if (!this.#open) return;
    this.#open = false;
    closeSync(this.fd);
    if (this.#partial !== undefined) rmSync(this.#partial, { force: true });
  }

  #link(path: string): boolean {
    return linkat(AT_FDCWD, `/proc/self/fd/${this.fd}`, AT_FDCWD, path, AT_SYMLINK_FOLLOW) === 0 || refuseUnlessThere(path);
  }
}

function refuseUnlessThere(path: string): false {
  const number = errno();
  if (number === ERRNO.EEXIST) return false;
  throw syscallError('linkat', path, number);
}

/** In the directory where `path` is to be. */
export function unnamedFileFor(path: string): UnnamedFile {
  return UnnamedFile.make(dirname(path));
}
