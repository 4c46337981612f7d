import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { digestFromHex, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { TarParser } from '../tar/parser.ts';
import { FilesAtHand } from './at-hand.ts';
import { Budget } from './budget.ts';
import { decompress } from './decompress.ts';
import { readIdSpace } from './ids.ts';
import { DEFAULT_LIMITS, type LayerLimits } from './limits.ts';
import { KEPT, RECORD, TREE } from './places.ts';
import { Placer } from './placer.ts';
import { RecordWriter } from './record.ts';
import { fullOrSame } from './refuse.ts';

export interface UnpackRequest {
  /** Empty and ours alone: gets `diff/`, `record` and perhaps `kept/`. */
  readonly directory: string;
  /** The layer as it is stored or sent: plain, gzip or zstd. */
  readonly source: Readable;
  /** Expected; checked when given. */
  readonly diffId?: Digest | undefined;
  readonly compressed?: { readonly digest?: Digest | undefined; readonly sizeBytes?: number | undefined } | undefined;
  readonly limits?: LayerLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  /** A tree with the regular files of the layer (see FilesAtHand). */
  readonly atHand?: string | undefined;
  /** Chunks of the source that fill an ArrayBuffer are ours, to be given back when they are used up. */
  readonly ownsChunks?: boolean;
  /** Compressed bytes read so far; called for each chunk. */
  readonly onProgress?: ((compressedBytes: number) => void) | undefined;
}

export interface UnpackedLayer {
  /** Of the uncompressed tar. */
  readonly diffId: Digest;
  readonly tarBytes: number;
  /** Sum of the sizes of the regular files. */
  readonly fileBytes: number;
  readonly entries: number;
  readonly compressedBytes: number;
  /** What could not be kept on this machine, one line per kind. */
  readonly notices: readonly string[];
}

/**
 * Unpack one layer tar into an empty directory, with the record that gives the tar back (assemble.ts).
 * The bytes pass through memory once: counted, hashed, uncompressed (on zlib's thread), hashed, taken apart, written.
 * On failure the directory holds rubbish; the caller removes it.
 * Throws IMAGE_CORRUPT (digest, size, malformed), LAYER_REFUSED (limits, names, ids), STORE_FULL, NOT_SUPPORTED, ABORTED.
 */
export async function unpackLayer(request: UnpackRequest): Promise<UnpackedLayer> {
  try {
    return await unpack(request);
  } catch (error) {
    throw fullOrSame(error);
  }
}

async function unpack(request: UnpackRequest): Promise<UnpackedLayer> {
  const { directory, limits = DEFAULT_LIMITS, compressed } = request;
  const tree = join(directory, TREE);
  mkdirSync(tree);
  const budget = new Budget(limits, directory);
  using record = new RecordWriter(join(directory, RECORD));
  using atHand = request.atHand === undefined ? undefined : new FilesAtHand(request.atHand);
  using placer = new Placer({ tree, kept: join(directory, KEPT), record, ids: readIdSpace(), limits, atHand });
  const parser = new TarParser(placer);
  const contentHash = createHash('sha256');
  const compressedHash = createHash('sha256');

  const compression = await decompress({
    source: request.source,
    signal: request.signal,
    ownsChunks: request.ownsChunks,
    onCompressed: (chunk, found) => {
      budget.takeCompressed(chunk.length);
      checkNotLonger(budget.compressedBytes, compressed?.sizeBytes);
      // Of a plain layer both digests are the same.
      if (compressed?.digest !== undefined && found !== 'none') compressedHash.update(chunk);
      request.onProgress?.(budget.compressedBytes);
    },
    onContent: (chunk) => {
      budget.takeContent(chunk.length);
      contentHash.update(chunk);
      parser.write(chunk);
    },
  });
  parser.finish();
  placer.finish();
  record.finish();

  if (compressed?.sizeBytes !== undefined) checkSize(budget.compressedBytes, compressed.sizeBytes);
  const diffId = digestFromHex(contentHash.digest('hex'));
  const blobDigest = compression === 'none' ? diffId : digestFromHex(compressedHash.digest('hex'));
  if (compressed?.digest !== undefined) checkDigest('blob', blobDigest, compressed.digest);
  if (request.diffId !== undefined) checkDigest('uncompressed layer', diffId, request.diffId);
  return {
    diffId,
    tarBytes: budget.contentBytes,
    fileBytes: placer.fileBytes,
    entries: placer.entries,
    compressedBytes: budget.compressedBytes,
    notices: placer.notices.lines(),
  };
}

function checkDigest(what: string, actual: Digest, expected: Digest): void {
  if (actual !== expected) throw new EngineError('IMAGE_CORRUPT', `${what} does not match its digest: expected ${expected}, got ${actual}`);
}

function checkNotLonger(actual: number, expected: number | undefined): void {
  if (expected !== undefined && actual > expected)
    throw new EngineError('IMAGE_CORRUPT', `blob is longer than the ${expected} bytes its descriptor says`);
}

function checkSize(actual: number, expected: number): void {
  if (actual !== expected) throw new EngineError('IMAGE_CORRUPT', `blob has ${actual} bytes, its descriptor says ${expected}`);
}
