import { statfsSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import type { LayerLimits } from './limits.ts';
import { storeFull } from './refuse.ts';

const LOOK_EVERY_BYTES = 64 * 2 ** 20;

/** Counts what a layer has taken and refuses it when it takes too much. */
export class Budget {
  readonly #limits: LayerLimits;
  readonly #directory: string;
  #compressedBytes = 0;
  #contentBytes = 0;
  #lookAt = 0;

  /** `directory`: on the file system whose free space counts. Throws STORE_FULL when there is too little already. */
  constructor(limits: LayerLimits, directory: string) {
    this.#limits = limits;
    this.#directory = directory;
    this.#checkSpace();
  }

  get compressedBytes(): number {
    return this.#compressedBytes;
  }

  get contentBytes(): number {
    return this.#contentBytes;
  }

  takeCompressed(bytes: number): void {
    this.#compressedBytes += bytes;
  }

  /** Throws LAYER_REFUSED, STORE_FULL. */
  takeContent(bytes: number): void {
    this.#contentBytes += bytes;
    const { maxTarBytes, maxRatio, ratioFromBytes } = this.#limits;
    if (this.#contentBytes > maxTarBytes) throw new EngineError('LAYER_REFUSED', `the layer is larger than ${maxTarBytes} bytes`);
    if (this.#contentBytes > ratioFromBytes && this.#contentBytes > this.#compressedBytes * maxRatio) {
      throw new EngineError('LAYER_REFUSED', `the layer grows to more than ${maxRatio} times its compressed size`);
    }
    if (this.#contentBytes >= this.#lookAt) this.#checkSpace();
  }

  #checkSpace(): void {
    this.#lookAt = this.#contentBytes + LOOK_EVERY_BYTES;
    const { bavail, bsize } = statfsSync(this.#directory);
    if (bavail * bsize < this.#limits.reserveBytes) throw storeFull(undefined);
  }
}
