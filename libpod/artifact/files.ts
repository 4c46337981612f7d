/** Files of the caller taken into the store, to be listed in the manifest of an artifact. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { Descriptor } from '../../storage/image.ts';
import { systemWords } from '../../core/system-words.ts';
import { EngineError } from '../../core/errors.ts';
import { SNIFF_BYTES, sniffType } from '../../storage/artifact/sniff.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';

export interface KeptFile extends Pick<Descriptor, 'digest' | 'size'> {
  /** By its first bytes. */
  readonly sniffedType: string;
}

/** Streamed, whatever its size. Throws INVALID_ARGUMENT with the words of the system. The caller names the blob in a row, or it is swept away. */
export async function keepFile(engine: Engine, path: string, signal?: AbortSignal): Promise<KeptFile> {
  const sniffedType = sniffType(await readHead(path));
  const { digest, size } = await imageBlobs(engine).keep(createReadStream(path, { highWaterMark: 2 ** 20 }), { signal });
  return { digest, size, sniffedType };
}

async function readHead(path: string): Promise<Buffer> {
  try {
    await using file = await open(path, 'r');
    if ((await file.stat()).isDirectory()) throw new EngineError('INVALID_ARGUMENT', `read ${path}: is a directory`);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SNIFF_BYTES), 0, SNIFF_BYTES, null);
    return buffer.subarray(0, bytesRead);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    const { syscall = 'open' } = cause as NodeJS.ErrnoException;
    throw new EngineError('INVALID_ARGUMENT', `${syscall} ${path}: ${systemWords(cause)}`, { cause });
  }
}
