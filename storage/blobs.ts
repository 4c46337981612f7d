import { open, readFile, rename, rm, stat } from 'node:fs/promises';
import { createWriteStream, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { digestFromHex, digestHex, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Descriptor } from './image.ts';

export interface KeepOptions {
  readonly expected?: Pick<Descriptor, 'digest' | 'size'>;
  readonly signal?: AbortSignal | undefined;
  readonly onBytes?: (length: number) => void;
}

/**
 * The content store under `blobs/sha256`: manifests, configs, and what must be kept to give an image back byte for byte.
 * A blob is there whole or not at all: written aside, synced, renamed. Names are digests, so two writers cannot disagree.
 */
export class Blobs {
  readonly #directory: string;
  readonly #staging: string;

  /** Both directories are made on the first write; they must be on one file system. */
  constructor(places: { readonly directory: string; readonly staging: string }) {
    this.#directory = join(places.directory, 'sha256');
    this.#staging = places.staging;
  }

  /** Keep `bytes`. With `expected` they are checked first: throws IMAGE_CORRUPT. Idempotent. */
  async put(bytes: Uint8Array, expected?: Digest): Promise<Digest> {
    const { digestOf } = await import('./verify.ts');
    const digest = digestOf(bytes);
    if (expected !== undefined && digest !== expected) {
      throw new EngineError('IMAGE_CORRUPT', `blob ${expected}: Digest did not match, expected ${expected}, got ${digest}`);
    }
    if (await this.has(digest)) return digest;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const { StagingDirectory } = await import('./layer/staging.ts');
    using staging = StagingDirectory.make(this.#staging);
    const partial = join(staging.path, 'blob');
    await writeSynced(partial, bytes);
    await rename(partial, this.path(digest));
    return digest;
  }

  /**
   * Keep what the stream gives, whatever its size, and tell what it was. With `expected` it is held against that: throws IMAGE_CORRUPT.
   * `onBytes` hears of each chunk's length. Throws what the stream throws; nothing is left behind then.
   */
  async keep(stream: Readable, options: KeepOptions = {}): Promise<Pick<Descriptor, 'digest' | 'size'>> {
    const { expected } = options;
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    const { StagingDirectory } = await import('./layer/staging.ts');
    using staging = StagingDirectory.make(this.#staging);
    const partial = join(staging.path, 'blob');
    const written = await writeHashed(partial, stream, options);
    if (expected !== undefined && (written.digest !== expected.digest || written.size !== expected.size)) {
      throw new EngineError(
        'IMAGE_CORRUPT',
        `blob ${expected.digest}: Digest did not match, expected ${expected.digest}, got ${written.digest}`,
      );
    }
    await rename(partial, this.path(written.digest));
    return written;
  }

  /** Throws STORE_CORRUPT when the blob is missing. Not checked against its digest: `verify` does that. */
  async read(digest: Digest): Promise<Buffer> {
    try {
      return await readFile(this.path(digest));
    } catch (cause) {
      throw new EngineError('STORE_CORRUPT', `blob ${digest}: ${(cause as Error).message}`, { cause });
    }
  }

  /** False when the bytes are no longer what their name says. Throws STORE_CORRUPT when they are missing. */
  async verify(digest: Digest): Promise<boolean> {
    const { digestOf } = await import('./verify.ts');
    return digestOf(await this.read(digest)) === digest;
  }

  async has(digest: Digest): Promise<boolean> {
    return stat(this.path(digest)).then(
      () => true,
      () => false,
    );
  }

  /** The same without waiting, for a look inside a transaction. */
  hasNow(digest: Digest): boolean {
    return existsSync(this.path(digest));
  }

  /** A missing blob is fine. */
  async remove(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  path(digest: Digest): string {
    return join(this.#directory, digestHex(digest));
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Ends early when there is more than expected. */
async function writeHashed(
  path: string,
  stream: Readable,
  { expected, signal, onBytes }: KeepOptions,
): Promise<Pick<Descriptor, 'digest' | 'size'>> {
  const [{ createHash }, { pipeline }] = await Promise.all([import('node:crypto'), import('node:stream/promises')]);
  const hash = createHash('sha256');
  let size = 0;
  await pipeline(
    stream,
    async function* (chunks: AsyncIterable<Buffer>) {
      for await (const chunk of chunks) {
        size += chunk.length;
        if (expected !== undefined && size > expected.size) {
          throw new EngineError('IMAGE_CORRUPT', `blob ${expected.digest}: more than ${expected.size} bytes`);
        }
        onBytes?.(chunk.length);
        hash.update(chunk);
        yield chunk;
      }
    },
    createWriteStream(path, { flags: 'wx', mode: 0o600, flush: true }),
    ...(signal === undefined ? [] : [{ signal }]),
  );
  return { digest: digestFromHex(hash.digest('hex')), size };
}
