/**
 * The record of a layer: what its original tar held besides the bodies that stand in the tree, so that the tar can be given back byte for byte.
 *
 * A file of frames, compressed in blocks of about 1 MiB: `magic`, then for each block its compressed length (u32, little-endian) and zstd bytes.
 * A frame is a kind byte and a length (u32); its payload:
 *   R  bytes of the tar as they are (headers, paddings, end marker, trailer, bodies that have no file in the tree)
 *   B  a body: size (u64), then the path of its file in the tree
 *   M  the file at a path was replaced by a later entry: its number in `kept/` (u32), then the path
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { zstdCompressSync, zstdDecompressSync, constants } from 'node:zlib';
import { EngineError } from '../../core/errors.ts';

export type RecordFrame =
  | { readonly kind: 'raw'; readonly bytes: Buffer }
  | { readonly kind: 'body'; readonly sizeBytes: number; readonly path: Buffer }
  | { readonly kind: 'moved'; readonly kept: number; readonly path: Buffer };

const MAGIC = Buffer.from('lichen-record-1\n');
const BLOCK_BYTES = 2 ** 20;
const FRAME_BYTES = 5;
const RAW = 0x52;
const BODY = 0x42;
const MOVED = 0x4d;

/** Owns the file. Nothing is written after `finish`; an unfinished record is cut short and reads as corrupt. */
export class RecordWriter implements Disposable {
  readonly #fd: number;
  readonly #block = Buffer.allocUnsafe(BLOCK_BYTES);
  #fill = 0;
  #open = true;

  constructor(path: string) {
    this.#fd = openSync(path, 'wx', 0o600);
    writeAll(this.#fd, MAGIC);
  }

  raw(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at += BLOCK_BYTES - FRAME_BYTES)
      this.#frame(RAW, bytes.subarray(at, at + BLOCK_BYTES - FRAME_BYTES));
  }

  body(path: Buffer, sizeBytes: number): void {
    const payload = Buffer.allocUnsafe(8 + path.length);
    payload.writeBigUInt64LE(BigInt(sizeBytes));
    path.copy(payload, 8);
    this.#frame(BODY, payload);
  }

  moved(path: Buffer, kept: number): void {
    const payload = Buffer.allocUnsafe(4 + path.length);
    payload.writeUInt32LE(kept);
    path.copy(payload, 4);
    this.#frame(MOVED, payload);
  }

  finish(): void {
    this.#flush();
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }

  #frame(kind: number, payload: Buffer): void {
    if (this.#fill + FRAME_BYTES + payload.length > BLOCK_BYTES) this.#flush();
    this.#block[this.#fill] = kind;
    this.#block.writeUInt32LE(payload.length, this.#fill + 1);
    payload.copy(this.#block, this.#fill + FRAME_BYTES);
    this.#fill += FRAME_BYTES + payload.length;
  }

  #flush(): void {
    if (this.#fill === 0) return;
    const compressed = zstdCompressSync(this.#block.subarray(0, this.#fill), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    const length = Buffer.allocUnsafe(4);
    length.writeUInt32LE(compressed.length);
    writeAll(this.#fd, Buffer.concat([length, compressed]));
    this.#fill = 0;
  }
}

/** The frames in order. Throws STORE_CORRUPT. */
export function* readRecord(path: string): Generator<RecordFrame, void> {
  const fd = openSync(path, 'r');
  try {
    if (!readExactly(fd, MAGIC.length, path).equals(MAGIC)) throw corruptRecord(path);
    for (let head = readUpTo(fd, 4); head.length > 0; head = readUpTo(fd, 4)) {
      if (head.length < 4 || head.readUInt32LE() > 2 * BLOCK_BYTES) throw corruptRecord(path);
      yield* framesOf(decompress(readExactly(fd, head.readUInt32LE(), path), path), path);
    }
  } finally {
    closeSync(fd);
  }
}

export function corruptRecord(path: string, cause?: unknown): EngineError {
  return new EngineError('STORE_CORRUPT', `the layer record ${path} is damaged`, {
    cause,
    hint: 'Remove the images that use the layer and pull them again.',
  });
}

function* framesOf(block: Buffer, path: string): Generator<RecordFrame, void> {
  for (let at = 0; at < block.length;) {
    if (at + FRAME_BYTES > block.length) throw corruptRecord(path);
    const end = at + FRAME_BYTES + block.readUInt32LE(at + 1);
    const payload = block.subarray(at + FRAME_BYTES, end);
    if (end > block.length) throw corruptRecord(path);
    const kind = block[at];
    if (kind === RAW) yield { kind: 'raw', bytes: payload };
    else if (kind === BODY && payload.length > 8)
      yield { kind: 'body', sizeBytes: Number(payload.readBigUInt64LE()), path: payload.subarray(8) };
    else if (kind === MOVED && payload.length > 4) yield { kind: 'moved', kept: payload.readUInt32LE(), path: payload.subarray(4) };
    else throw corruptRecord(path);
    at = end;
  }
}

function decompress(bytes: Buffer, path: string): Buffer {
  try {
    return zstdDecompressSync(bytes, { maxOutputLength: BLOCK_BYTES });
  } catch (cause) {
    throw corruptRecord(path, cause);
  }
}

function readExactly(fd: number, length: number, path: string): Buffer {
  const bytes = readUpTo(fd, length);
  if (bytes.length < length) throw corruptRecord(path);
  return bytes;
}

function readUpTo(fd: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let fill = 0;
  for (let count = -1; count !== 0 && fill < length; fill += count) count = readSync(fd, bytes, fill, length - fill, null);
  return bytes.subarray(0, fill);
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
}
