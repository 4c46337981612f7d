/** Files that a build has read, by what stat(2) says of them, so that none is read again without need. */
import type { BigIntStats } from 'node:fs';

/** Digests from one build to the next. */
export interface FileDigests {
  /** Of the file if it is as it was. */
  find(stat: BigIntStats): string | undefined;
  /** `stat`: from before it was read. */
  keep(stat: BigIntStats, digest: string): void;
}

export function identityOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** Whoever changes what a file holds changes the last of these, and nobody can set it back. */
export function stampOf({ size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${size}:${mtimeNs}:${ctimeNs}`;
}

const MOST_BYTES = 64 * 2 ** 20;
const MOST_BYTES_OF_ONE = 2 ** 18;

/** Small files that were read for the key of a step: the step takes these bytes, and so the very ones that its key stands for. */
export class ReadFiles {
  readonly #bytes = new Map<string, Buffer>();
  #left = MOST_BYTES;

  keep(stat: BigIntStats, bytes: Buffer): void {
    if (bytes.length > MOST_BYTES_OF_ONE || bytes.length > this.#left) return;
    this.#left -= bytes.length;
    this.#bytes.set(`${identityOf(stat)}:${stampOf(stat)}`, bytes);
  }

  find(stat: BigIntStats): Buffer | undefined {
    return this.#bytes.get(`${identityOf(stat)}:${stampOf(stat)}`);
  }
}
