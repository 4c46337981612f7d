/** Where an archive goes: a file that appears when it is whole, or a stream that somebody else reads. */
import { closeSync, constants, fstatSync, openSync, realpathSync, statSync, write } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import { UnnamedFile } from '../../host/unnamed-file.ts';
import { BLOCK_BYTES, NO_XATTRS, type TarEntry } from '../tar/entry.ts';
import { encodeEntry, endOfArchive, paddingFor } from '../tar/write.ts';

export interface Output extends AsyncDisposable {
  write(bytes: Uint8Array): Promise<void>;
  /** All is written: let it be seen. */
  finish(): Promise<void>;
}

export interface FileOutputOptions {
  /** May take the place of a file that is there. Otherwise `refusal` says why not. */
  readonly replace: boolean;
  readonly refusal?: string;
  /** Before what open(2) says. */
  readonly prefix?: string;
}

/** Devices, pipes and the like are written as they are. Throws ARCHIVE_UNSUPPORTED in Podman's words. */
export function openFileOutput(path: string, options: FileOutputOptions): Output {
  const there = statSync(path, { throwIfNoEntry: false });
  const refuse = (): never => {
    throw new EngineError('ARCHIVE_UNSUPPORTED', options.refusal ?? `${path}: file exists`);
  };
  const prefix = options.prefix ?? `opening file ${JSON.stringify(path)}: `;
  return explained(path, prefix, () => {
    if (there?.isDirectory()) throw new EngineError('ARCHIVE_UNSUPPORTED', `${prefix}open ${path}: is a directory`);
    if (there !== undefined && !there.isFile()) return openDevice(path);
    // An empty file is as good as none, whatever made it (mktemp).
    if (there !== undefined && there.size > 0 && !options.replace) refuse();
    const target = there === undefined ? resolve(path) : realpathSync(path);
    const file = UnnamedFile.make(dirname(target));
    return {
      write: (bytes) => writeFully(file.fd, bytes),
      finish: async () => {
        const replace = options.replace || statSync(target, { throwIfNoEntry: false })?.size === 0;
        if (!file.publish(target, { replace })) refuse();
      },
      [Symbol.asyncDispose]: async () => file[Symbol.dispose](),
    };
  });
}

/** Bytes to `stream` as fast as it takes them. It stays open: it is somebody else's. */
export function openStreamOutput(stream: Writable): Output {
  let failure: Error | undefined;
  const onError = (error: Error): void => void (failure ??= error);
  stream.on('error', onError);
  return {
    write: (bytes) =>
      new Promise((done, fail) => {
        if (failure) return fail(failure);
        stream.write(bytes, (error) => (error ? fail(error) : done()));
      }),
    finish: async () => {
      if (failure) throw failure;
    },
    [Symbol.asyncDispose]: async () => void stream.off('error', onError),
  };
}

/** What a tar is written with: one member after the other, at the beginning of time, so that the same contents give the same bytes. */
export class TarOutput {
  readonly #output: Output;

  constructor(output: Output) {
    this.#output = output;
  }

  file(name: string, contents: Uint8Array, mode: number): Promise<void> {
    return this.stream(name, [contents], contents.length, mode);
  }

  /** `sizeBytes` must be what comes. */
  async stream(name: string, contents: Readable | readonly Uint8Array[], sizeBytes: number, mode: number): Promise<void> {
    await this.#output.write(encodeEntry(member({ type: 'file', name, mode, sizeBytes })));
    let written = 0;
    for await (const chunk of contents as AsyncIterable<Uint8Array>) {
      written += chunk.length;
      if (written > sizeBytes) break;
      await this.#output.write(chunk);
    }
    if (written !== sizeBytes) {
      throw new EngineError(
        'STORE_CORRUPT',
        `${name}: ${written} bytes where ${sizeBytes} were expected: the layer was altered in the store`,
        {
          hint: 'Remove the images that use the layer and pull them again.',
        },
      );
    }
    await this.#output.write(paddingFor(sizeBytes));
  }

  directory(name: string, mode: number): Promise<void> {
    return this.#output.write(encodeEntry(member({ type: 'directory', name, mode })));
  }

  symlink(name: string, target: string): Promise<void> {
    return this.#output.write(encodeEntry(member({ type: 'symlink', name, mode: 0, target })));
  }

  async finish(): Promise<void> {
    await this.#output.write(endOfArchive());
    await this.#output.finish();
  }
}

interface Member {
  readonly type: TarEntry['type'];
  readonly name: string;
  readonly mode: number;
  readonly sizeBytes?: number;
  readonly target?: string;
}

function member({ type, name, mode, sizeBytes = 0, target = '' }: Member): TarEntry {
  return {
    type,
    path: Buffer.from(name),
    linkPath: Buffer.from(target),
    mode,
    uid: 0,
    gid: 0,
    sizeBytes,
    mtime: { seconds: 0, nanoseconds: 0 },
    device: { major: 0, minor: 0 },
    xattrs: NO_XATTRS,
  };
}

function openDevice(path: string): Output {
  const fd = openSync(path, constants.O_WRONLY);
  // Bytes per write: a pipe must not make one call wait for a reader of megabytes.
  const step = fstatSync(fd).isFIFO() ? 128 * BLOCK_BYTES : Number.MAX_SAFE_INTEGER;
  return {
    write: async (bytes) => {
      for (let at = 0; at < bytes.length; at += step) await writeFully(fd, bytes.subarray(at, at + step));
    },
    finish: async () => undefined,
    [Symbol.asyncDispose]: async () => closeSync(fd),
  };
}

/** On a thread, so that layers are compressed and read meanwhile. */
export async function writeFully(fd: number, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await writeSome(fd, bytes.subarray(at));
}

function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  return new Promise((done, fail) => {
    write(fd, bytes, (error, written) => {
      if (!error) done(written);
      else
        fail(
          error.code === 'ENOSPC' || error.code === 'EDQUOT'
            ? new EngineError('STORE_FULL', 'write: no space left on device', { cause: error })
            : error,
        );
    });
  });
}

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or directory',
  EACCES: 'permission denied',
  EPERM: 'operation not permitted',
  ENOTDIR: 'not a directory',
  EISDIR: 'is a directory',
  EROFS: 'read-only file system',
  ENAMETOOLONG: 'file name too long',
  ENOSPC: 'no space left on device',
};

/** What open(2) says, as Podman passes it on. */
export function explained<T>(path: string, prefix: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    const words = WORDS[(error as NodeJS.ErrnoException).code ?? ''];
    if (error instanceof EngineError || words === undefined) throw error;
    throw new EngineError('ARCHIVE_UNSUPPORTED', `${prefix}open ${path}: ${words}`, { cause: error });
  }
}
