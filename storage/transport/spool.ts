/** Input that cannot be sought in (a pipe) or not be read in place (compressed whole), put into a staging file for the time of the copy. */
import { createReadStream, createWriteStream } from 'node:fs';
import { open, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { EngineError } from '../../core/errors.ts';
import { StagingDirectory } from '../layer/staging.ts';
import { decompress, detectCompression, MAGIC_BYTES } from './compression.ts';

/** A file to read from; disposing removes it if it is ours. */
export interface Spooled extends AsyncDisposable {
  readonly path: string;
}

/** Space left free on the staging file system, whatever the input unpacks to. */
const RESERVE_BYTES = 64 * 2 ** 20;
const CHECK_EVERY_BYTES = 16 * 2 ** 20;

/** The whole stream as a file in `staging`. Throws STORE_FULL, ABORTED; leaves nothing behind then, nor when the process is killed. */
export async function spool(input: Readable, staging: string, signal?: AbortSignal): Promise<Spooled> {
  const directory = StagingDirectory.make(staging);
  const path = join(directory.path, 'input');
  try {
    await pipeline(
      input,
      (source) => guarded(source as AsyncIterable<Buffer>, staging),
      createWriteStream(path, { flags: 'wx', mode: 0o600, highWaterMark: 2 ** 20 }),
      { signal },
    );
  } catch (error) {
    directory[Symbol.dispose]();
    throw signal?.aborted ? new EngineError('ABORTED', 'reading the input was cancelled', { cause: error }) : error;
  }
  return { path, [Symbol.asyncDispose]: async () => directory[Symbol.dispose]() };
}

/** The file itself when it is plain, else its decompressed copy in `staging`. */
export async function plainFile(path: string, staging: string, signal?: AbortSignal): Promise<Spooled> {
  const compression = detectCompression(await firstBytes(path));
  if (compression === undefined) return { path, [Symbol.asyncDispose]: async () => undefined };
  const source = createReadStream(path, { highWaterMark: 2 ** 20 });
  return spool(await decompress(source, compression), staging, signal);
}

export async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MAGIC_BYTES), 0, MAGIC_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** A few kilobytes can unpack to terabytes: stop before the disk is full. */
async function* guarded(input: AsyncIterable<Buffer>, directory: string): AsyncGenerator<Buffer> {
  let sinceCheck = CHECK_EVERY_BYTES;
  for await (const chunk of input) {
    sinceCheck += chunk.length;
    if (sinceCheck >= CHECK_EVERY_BYTES) {
      const { bavail, bsize } = await statfs(directory);
      if (bavail * bsize < RESERVE_BYTES + CHECK_EVERY_BYTES)
        throw new EngineError('STORE_FULL', `write ${directory}: no space left on device`, {
          hint: 'Free some space, for example with: lichen system prune',
        });
      sinceCheck = 0;
    }
    yield chunk;
  }
}
