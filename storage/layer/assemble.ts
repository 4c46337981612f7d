import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import { Root } from '../../host/root.ts';
import { KEPT, RECORD, TREE } from './places.ts';
import { readRecord } from './record.ts';

/**
 * The original uncompressed tar of a layer, byte for byte, from its tree and record. Chunks of up to 1 MiB, read as they are asked for.
 * Fails with STORE_CORRUPT when a file of the tree is gone or has another size; that bytes changed shows only in the digest.
 */
export function assembleTar(layerDirectory: string): Readable {
  return Readable.from(assembledChunks(layerDirectory), { objectMode: false, highWaterMark: CHUNK_BYTES });
}

const CHUNK_BYTES = 2 ** 20;

/** Small pieces are gathered: a stream pays for each chunk. */
function* assembledChunks(layerDirectory: string): Generator<Buffer, void> {
  let chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let fill = 0;
  for (const read of piecesOf(layerDirectory)) {
    for (let done = false; !done;) {
      const count = read(chunk, fill);
      fill += count;
      done = fill < CHUNK_BYTES;
      if (done) break;
      yield chunk;
      chunk = Buffer.allocUnsafe(CHUNK_BYTES);
      fill = 0;
    }
  }
  if (fill > 0) yield chunk.subarray(0, fill);
}

/** Fill `target` from `offset` with what is next of the piece; less than the space left means that the piece is at its end. */
type PieceReader = (target: Buffer, offset: number) => number;

function* piecesOf(layerDirectory: string): Generator<PieceReader, void> {
  const recordPath = join(layerDirectory, RECORD);
  const moves = movesOf(recordPath);
  using root = new Root(join(layerDirectory, TREE));
  let position = 0;
  for (const frame of readRecord(recordPath)) {
    position++;
    if (frame.kind === 'moved') continue;
    if (frame.kind === 'raw') {
      let at = 0;
      yield (target, offset) => {
        const count = frame.bytes.copy(target, offset, at);
        at += count;
        return count;
      };
      continue;
    }
    const kept = moves.get(frame.path.toString('latin1'))?.find((move) => move.position > position)?.kept;
    const fd = kept === undefined ? openBody(root, frame.path) : openSync(join(layerDirectory, KEPT, String(kept)), 'r');
    try {
      checkSize(fd, frame.path, frame.sizeBytes);
      yield (target, offset) => readFully(fd, target, offset);
    } finally {
      closeSync(fd);
    }
  }
}

/** A body belongs to the file that the first later move took away from its path; without one, to the file that stands there. */
function movesOf(recordPath: string): Map<string, { position: number; kept: number }[]> {
  const moves = new Map<string, { position: number; kept: number }[]>();
  let position = 0;
  for (const frame of readRecord(recordPath)) {
    position++;
    if (frame.kind !== 'moved') continue;
    const key = frame.path.toString('latin1');
    const known = moves.get(key);
    if (known) known.push({ position, kept: frame.kept });
    else moves.set(key, [{ position, kept: frame.kept }]);
  }
  return moves;
}

function openBody(root: Root, path: Buffer): number {
  try {
    return root.open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (cause) {
    throw damaged(path, 'it cannot be opened', cause);
  }
}

function checkSize(fd: number, path: Buffer, sizeBytes: number): void {
  const stat = fstatSync(fd);
  if (!stat.isFile() || stat.size !== sizeBytes) throw damaged(path, `it should be a file of ${sizeBytes} bytes`);
}

function damaged(path: Buffer, why: string, cause?: unknown): EngineError {
  return new EngineError('STORE_CORRUPT', `the layer file ${JSON.stringify(path.toString())} was changed: ${why}`, {
    cause,
    hint: 'Remove the images that use the layer and pull them again.',
  });
}

function readFully(fd: number, target: Buffer, offset: number): number {
  let fill = 0;
  for (let count = -1; count !== 0 && offset + fill < target.length; fill += count)
    count = readSync(fd, target, offset + fill, target.length - offset - fill, null);
  return fill;
}
