/** Layers compressed on their way out. zlib works in threads of its own: pieces of a layer, and several layers, are compressed side by side. */
import { availableParallelism } from 'node:os';
import { pipeline, Readable } from 'node:stream';
import { constants, crc32, createZstdCompress, deflateRaw } from 'node:zlib';
import { EngineError } from '../../core/errors.ts';

export type LayerCompression = 'none' | 'gzip' | 'zstd';

/** A compression that a user may choose, and how hard it works; the level is the algorithm's own unless given. */
export interface CompressionChoice {
  readonly compression: LayerCompression;
  readonly level?: number | undefined;
}

const CHUNK_BYTES = 2 ** 18;
const PIECE_BYTES = 2 ** 20;
/** How far back deflate looks. */
const WINDOW_BYTES = 2 ** 15;
/** zlib's own default (6) takes three times as long for 3 % less. */
const GZIP_LEVEL = 4;
/** zstd takes hundreds of megabytes for each layer above its 12th level, and Podman's own encoder never works harder than that. */
const LEVELS = { gzip: { least: 1, most: 9 }, zstd: { least: 1, most: 12 } } as const;

/** The same bytes always give the same bytes. Errors of the source reach the result. */
export function compress(source: Readable, { compression, level }: CompressionChoice): Readable {
  if (compression === 'none') return source;
  if (compression === 'gzip') {
    return Readable.from(gzip(source, withinLevels('gzip', level ?? GZIP_LEVEL)), { objectMode: false, highWaterMark: CHUNK_BYTES });
  }
  const encoder = createZstdCompress({
    chunkSize: CHUNK_BYTES,
    ...(level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: withinLevels('zstd', level) } }),
  });
  pipeline(source, encoder, () => undefined);
  return encoder;
}

/** RFC 1952: magic, deflate, no flags, no time, no hint, Unix. */
const GZIP_HEADER = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]);
/** An empty last block (RFC 1951, 3.2.6). */
const DEFLATE_END = Buffer.from([3, 0]);

/** One member, of pieces that are compressed side by side, each with the end of the one before as its dictionary, as pigz makes it. */
async function* gzip(source: Readable, level: number): AsyncGenerator<Buffer, void> {
  const underWay: Promise<Buffer>[] = [];
  const most = availableParallelism() + 1;
  let check = 0;
  let size = 0;
  let dictionary: Buffer | undefined;
  yield GZIP_HEADER;
  for await (const piece of pieces(source)) {
    check = crc32(piece, check);
    size += piece.length;
    const deflated = deflate(piece, level, dictionary);
    // Whoever stops reading leaves some that nobody waits for.
    deflated.catch(() => undefined);
    underWay.push(deflated);
    dictionary = piece.subarray(-WINDOW_BYTES);
    if (underWay.length >= most) yield await underWay.shift()!;
  }
  for (const deflated of underWay) yield await deflated;
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(check, 0);
  trailer.writeUInt32LE(size % 2 ** 32, 4);
  yield Buffer.concat([DEFLATE_END, trailer]);
}

function deflate(piece: Buffer, level: number, dictionary: Buffer | undefined): Promise<Buffer> {
  const options = { level, finishFlush: constants.Z_SYNC_FLUSH, chunkSize: CHUNK_BYTES, ...(dictionary && { dictionary }) };
  return new Promise((resolve, reject) => {
    deflateRaw(piece, options, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

async function* pieces(source: Readable): AsyncGenerator<Buffer, void> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    yield Buffer.concat(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting);
}

/** As Podman, which takes any number and makes the best of it. */
function withinLevels(compression: keyof typeof LEVELS, level: number): number {
  const { least, most } = LEVELS[compression];
  return Math.min(Math.max(level, least), most);
}

/** Throws INVALID_ARGUMENT with Podman's words; NOT_SUPPORTED for zstd:chunked, whose table of contents we do not write. */
export function parseCompressionFormat(text: string): Exclude<LayerCompression, 'none'> {
  if (text === 'gzip' || text === 'zstd') return text;
  if (text === 'zstd:chunked') {
    throw new EngineError('NOT_SUPPORTED', 'compression format zstd:chunked is not supported', {
      hint: 'Use --compression-format zstd: every reader of zstd:chunked reads it, too.',
    });
  }
  throw new EngineError('INVALID_ARGUMENT', `cannot find compressor for ${JSON.stringify(text)}`);
}
