/** Bytes and the digest they were announced with. */
import { hash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { digestFromHex, type Digest } from '../core/digest.ts';
import { EngineError } from '../core/errors.ts';
import type { Descriptor } from './image.ts';

export function digestOf(bytes: Uint8Array): Digest {
  return digestFromHex(hash('sha256', bytes, 'hex'));
}

/** Throws IMAGE_CORRUPT unless `bytes` are exactly what `expected` says. */
export function verifyBytes(bytes: Uint8Array, expected: Pick<Descriptor, 'digest' | 'size'>, what: string): void {
  if (bytes.length !== expected.size) throw wrongSize(what, expected.size, bytes.length);
  const actual = digestOf(bytes);
  if (actual !== expected.digest) throw wrongDigest(what, expected.digest, actual);
}

/** The whole stream, at most `limitBytes`. Throws IMAGE_CORRUPT when there is more. */
export async function collectBytes(stream: Readable, limitBytes: number, what: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw new EngineError('IMAGE_CORRUPT', `${what}: more than ${limitBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function wrongSize(what: string, expected: number, actual: number): EngineError {
  return new EngineError('IMAGE_CORRUPT', `${what}: expected ${expected} bytes, got ${actual > expected ? 'more' : actual}`);
}

function wrongDigest(what: string, expected: Digest, actual: Digest): EngineError {
  return new EngineError('IMAGE_CORRUPT', `${what}: Digest did not match, expected ${expected}, got ${actual}`);
}
