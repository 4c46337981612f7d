/** Layers compressed on their way out, on threads of their own: pieces of a layer, and several layers, side by side. */
import { availableParallelism } from 'node:os';
import { pipeline, Readable } from 'node:stream';
import { constants, crc32, createZstdCompress, deflateRaw } from 'node:zlib';
import { EngineError } from '../../core/errors.ts';
import { GzipCompressor, hasLibdeflate } from '../../host/libdeflate.ts';
import { giveBack } from '../layer/give-back.ts';

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
const ZLIB_LEVEL = 4;
/** A little better than that, in half the time. */
const LIBDEFLATE_LEVEL = 2;
/** zstd takes hundreds of megabytes for each layer above its 12th level, and Podman's own encoder never works harder than that. */
const LEVELS = { gzip: { least: 1, most: 9 }, zstd: { least: 1, most: 12 } } as const;

export interface CompressOptions {
  /** Chunks of the source that fill an ArrayBuffer are ours, to be given back when they are used up. */
  readonly ownsChunks?: boolean;
  /** False: zlib, although libdeflate is there. */
  readonly withLibrary?: boolean;
}

/** The same bytes always give the same bytes, on machines with the same libraries. Errors of the source reach the result. */
export function compress(source: Readable, { compression, level }: CompressionChoice, options: CompressOptions = {}): Readable {
  const { ownsChunks = false, withLibrary = true } = options;
  if (compression === 'none') return source;
  if (compression === 'gzip') {
    const asked = level === undefined ? undefined : withinLevels('gzip', level);
    const bytes =
      withLibrary && hasLibdeflate() ? gzipMembers(source, asked ?? LIBDEFLATE_LEVEL, ownsChunks) : gzip(source, asked ?? ZLIB_LEVEL);
    return Readable.from(bytes, { objectMode: false, highWaterMark: CHUNK_BYTES });
  }
  const encoder = createZstdCompress({
    chunkSize: CHUNK_BYTES,
    ...(level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: withinLevels('zstd', level) } }),
  });
  pipeline(source, encoder, () => undefined);
  return encoder;
}

/** Pieces that are compressed side by side, each a member of its own (RFC 1952, 2.2), as eStargz has them. */
async function* gzipMembers(source: Readable, level: number, ownsChunks: boolean): AsyncGenerator<Buffer, void> {
  using compressors = new DisposableStack();
  const idle = Array.from({ length: availableParallelism() + 1 }, () => compressors.use(new GzipCompressor(level)));
  const underWay: { readonly compressor: GzipCompressor; readonly member: Promise<Buffer> }[] = [];
  const oldest = async (): Promise<Buffer> => {
    const { compressor, member } = underWay.shift()!;
    idle.push(compressor);
    return member;
  };
  let isEmpty = true;
  for await (const { piece, isNew } of pieces(source)) {
    isEmpty = false;
    if (idle.length === 0) yield await oldest();
    const compressor = idle.pop()!;
    const member = compressor.member(piece).finally(() => (isNew || ownsChunks ? giveBack(piece) : undefined));
    // Whoever stops reading leaves some that nobody waits for.
    member.catch(() => undefined);
    underWay.push({ compressor, member });
  }
  if (isEmpty) yield await idle[0]!.member(Buffer.alloc(0));
  while (underWay.length > 0) yield await oldest();
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
  for await (const { piece } of pieces(source)) {
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

interface Piece {
  readonly piece: Buffer;
  /** It is no chunk of the source. */
  readonly isNew: boolean;
}

async function* pieces(source: Readable): AsyncGenerator<Piece, void> {
  let waiting: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of source as AsyncIterable<Buffer>) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < PIECE_BYTES) continue;
    yield together(waiting);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield together(waiting);
}

function together(chunks: readonly Buffer[]): Piece {
  const isNew = chunks.length > 1;
  return { piece: isNew ? Buffer.concat(chunks) : chunks[0]!, isNew };
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
