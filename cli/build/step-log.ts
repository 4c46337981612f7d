/** What the program of a step says, kept in a file without a name until somebody wants to see it. */
import { fstatSync, readSync } from 'node:fs';
import { stripVTControlCharacters } from 'node:util';
import { UnnamedFile } from '../../host/unnamed-file.ts';

const TAIL_BYTES = 4096;
/** Of the log of a step that failed. */
const MOST_SHOWN_BYTES = 2 ** 20;

export class StepLog implements Disposable {
  readonly #file: UnnamedFile;
  #read = 0;

  /** In `directory`. */
  constructor(directory: string) {
    this.#file = UnnamedFile.make(directory, 0o600);
  }

  get fd(): number {
    return this.#file.fd;
  }

  /** The last line that is not empty, without what would move a cursor. */
  lastLine(): string {
    const { size } = fstatSync(this.#file.fd);
    const lines = this.#bytes(Math.max(0, size - TAIL_BYTES), size)
      .toString()
      .split(/[\r\n]/);
    return stripVTControlCharacters(lines.findLast((line) => line.trim() !== '') ?? '');
  }

  /** The end of it, which is all where it is not large. */
  text(): Buffer {
    const { size } = fstatSync(this.#file.fd);
    return this.#bytes(Math.max(0, size - MOST_SHOWN_BYTES), size);
  }

  /** What has come since the last call. */
  more(): Buffer {
    const from = this.#read;
    this.#read = Math.min(fstatSync(this.#file.fd).size, from + MOST_SHOWN_BYTES);
    return this.#bytes(from, this.#read);
  }

  #bytes(from: number, to: number): Buffer {
    const bytes = Buffer.alloc(to - from);
    return bytes.subarray(0, readSync(this.#file.fd, bytes, 0, bytes.length, from));
  }

  [Symbol.dispose](): void {
    this.#file[Symbol.dispose]();
  }
}
