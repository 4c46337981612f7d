import { createHash } from 'node:crypto';
import { Readable, Transform } from 'node:stream';
import { digestFromHex } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { OutgoingBlob, WrittenBlob } from './destination.ts';

/** An image's config as a blob. */
export function blobOf(bytes: Uint8Array, digest: WrittenBlob['digest']): OutgoingBlob {
  return { open: async () => Readable.from([bytes], { objectMode: false }), digest, size: bytes.length, isConfig: true };
}

/** Passes a blob on and knows afterwards what it was. */
export class BlobMeter extends Transform {
  readonly #hash = createHash('sha256');
  #size = 0;

  constructor() {
    super({ readableHighWaterMark: 2 ** 20, writableHighWaterMark: 2 ** 20 });
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: (error: null, chunk: Buffer) => void): void {
    this.#hash.update(chunk);
    this.#size += chunk.length;
    done(null, chunk);
  }

  /** Once, at the end. Throws STORE_CORRUPT when it is not the blob that was announced: what the store gave has been altered. */
  written({ digest, size }: Pick<OutgoingBlob, 'digest' | 'size'>): WrittenBlob {
    const written = { digest: digestFromHex(this.#hash.digest('hex')), size: this.#size };
    if ((digest !== undefined && digest !== written.digest) || (size !== undefined && size !== written.size)) {
      throw new EngineError(
        'STORE_CORRUPT',
        `blob ${digest ?? ''} is ${written.digest} (${written.size} bytes): it was altered in the store`,
        {
          hint: 'Remove the image and pull it again.',
        },
      );
    }
    return written;
  }
}
