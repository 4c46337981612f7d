import type { Duplex, Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress, type ZlibOptions } from 'node:zlib';
import { EngineError } from '../../core/errors.ts';
import { abortable } from './abortable.ts';
import { giveBack } from './give-back.ts';

export type Compression = 'gzip' | 'zstd' | 'none';

/** zlib works on a thread of its own: it may run ahead of the unpacking by as much as this. */
const AHEAD_CHUNKS = 4;
const CHUNK_BYTES = 2 ** 20;
const MAGIC_BYTES = 6;

export interface DecompressRequest {
  readonly source: Readable;
  /** Each chunk as it came, with the compression found. */
  readonly onCompressed: (chunk: Buffer, compression: Compression) => void;
  /** Each chunk of the content. Synchronous: the source waits for it. */
  readonly onContent: (chunk: Buffer) => void;
  readonly signal?: AbortSignal | undefined;
  /** Chunks of the source that fill an ArrayBuffer are ours, to be given back when they are used up. */
  readonly ownsChunks?: boolean | undefined;
}

/**
 * Read a stream to its end and uncompress it, by what its first bytes are and not by what somebody said. Resolves with the compression found.
 * The source is destroyed in any case. Throws IMAGE_CORRUPT (damaged or cut short), NOT_SUPPORTED (xz, bzip2), ABORTED, and the errors of source and callbacks.
 */
export async function decompress(request: DecompressRequest): Promise<Compression> {
  const { source, signal, ownsChunks = false } = request;
  // An error before the first read must not end the process.
  source.on('error', () => undefined);
  try {
    const chunks = abortable(source[Symbol.asyncIterator]() as AsyncIterator<Buffer>, signal);
    const head = await readHead(chunks);
    const compression = detectCompression(head);
    const feed = metered(head, chunks, (chunk) => request.onCompressed(chunk, compression));
    const consume = async (content: AsyncIterable<Buffer>) => {
      for await (const chunk of content) {
        request.onContent(chunk);
        if (ownsChunks || compression !== 'none') giveBack(chunk);
      }
    };
    if (compression === 'none') await pipeline(feed, consume);
    else await pipeline(feed, decoder(compression, ownsChunks), consume);
    return compression;
  } catch (error) {
    throw explainDamage(error, signal);
  } finally {
    source.destroy();
  }
}

/** By magic number. Throws NOT_SUPPORTED for what is compressed in another way. */
export function detectCompression(head: Buffer): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head.length >= 4) {
    const magic = head.readUInt32LE();
    const skippable = (magic & 0xfffffff0) >>> 0 === 0x184d2a50;
    if (magic === 0xfd2fb528 || skippable) return 'zstd';
  }
  const text = head.toString('latin1');
  if (text.startsWith('\xfd7zXZ')) throw unsupported('xz');
  if (/^BZh[1-9]/.test(text)) throw unsupported('bzip2');
  return 'none';
}

async function readHead(chunks: AsyncIterator<Buffer>): Promise<Buffer> {
  let head: Buffer = Buffer.alloc(0);
  while (head.length < MAGIC_BYTES) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = head.length === 0 ? next.value : Buffer.concat([head, next.value]);
  }
  return head;
}

async function* metered(head: Buffer, chunks: AsyncIterator<Buffer>, onCompressed: (chunk: Buffer) => void): AsyncGenerator<Buffer, void> {
  if (head.length > 0) {
    onCompressed(head);
    yield head;
  }
  for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) {
    onCompressed(next.value);
    yield next.value;
  }
}

function decoder(compression: 'gzip' | 'zstd', ownsChunks: boolean): Duplex {
  const options = {
    chunkSize: CHUNK_BYTES,
    // Else the chunks that wait would be joined, which is a copy of everything.
    readableObjectMode: true,
    readableHighWaterMark: AHEAD_CHUNKS,
    writableHighWaterMark: CHUNK_BYTES,
  } as ZlibOptions;
  const stream = (compression === 'gzip' ? createGunzip(options) : createZstdDecompress(options as object)) as Transform;
  if (ownsChunks) {
    const transform = stream._transform.bind(stream);
    stream._transform = (chunk: Buffer, encoding, callback) =>
      transform(chunk, encoding, (...result) => {
        giveBack(chunk);
        callback(...result);
      });
  }
  return stream;
}

/** What zlib throws, in our words; anything else as it is. */
export function explainDamage(error: unknown, signal: AbortSignal | undefined): unknown {
  if (error instanceof EngineError) return error;
  if (signal?.aborted) return new EngineError('ABORTED', 'reading a layer was cancelled', { cause: error });
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(Z_|ZSTD_)/.test(code))
    return new EngineError('IMAGE_CORRUPT', `the compressed layer is damaged: ${(error as Error).message}`, { cause: error });
  return error;
}

function unsupported(compression: string): EngineError {
  return new EngineError('NOT_SUPPORTED', `layers compressed with ${compression} cannot be read`, {
    hint: 'Compress the layer with gzip or zstd.',
  });
}
