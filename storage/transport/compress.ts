/** Layers compressed on their way out. zlib works in threads of its own, so several layers are compressed side by side. */
import { pipeline, type Readable } from 'node:stream';
import { constants, createGzip, createZstdCompress } from 'node:zlib';
import { EngineError } from '../../core/errors.ts';

export type LayerCompression = 'none' | 'gzip' | 'zstd';

/** A compression that a user may choose, and how hard it works; the level is the algorithm's own unless given. */
export interface CompressionChoice {
  readonly compression: LayerCompression;
  readonly level?: number | undefined;
}

const CHUNK_BYTES = 2 ** 18;
/** zlib's own default (6) takes three times as long for 3 % less. */
const GZIP_LEVEL = 4;
/** zstd takes hundreds of megabytes for each layer above its 12th level, and Podman's own encoder never works harder than that. */
const LEVELS = { gzip: { least: 1, most: 9 }, zstd: { least: 1, most: 12 } } as const;

/** The same bytes always give the same bytes. Errors of the source reach the result. */
export function compress(source: Readable, { compression, level }: CompressionChoice): Readable {
  if (compression === 'none') return source;
  const encoder =
    compression === 'gzip'
      ? createGzip({ level: withinLevels('gzip', level ?? GZIP_LEVEL), chunkSize: CHUNK_BYTES })
      : createZstdCompress({
          chunkSize: CHUNK_BYTES,
          ...(level === undefined ? {} : { params: { [constants.ZSTD_c_compressionLevel]: withinLevels('zstd', level) } }),
        });
  pipeline(source, encoder, () => undefined);
  return encoder;
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
