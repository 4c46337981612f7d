import { existsSync, mkdirSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { digestHex } from '../../core/digest.ts';
import { UnnamedFile } from '../../host/unnamed-file.ts';
import { BlobMeter } from './blob-hash.ts';
import type { OutgoingBlob, WrittenBlob } from './destination.ts';
import { explained, writeFully } from './output.ts';

/** A directory that is written to; what it made and nobody kept goes when it is disposed. */
export class OutputDirectory implements Disposable {
  readonly path: string;
  readonly #made: string[] = [];
  #kept = false;

  /** Makes it where it is missing. Throws ARCHIVE_UNSUPPORTED. */
  constructor(path: string) {
    this.path = resolve(path);
    explained(path, '', () => this.directory(''));
  }

  /** Make sure a directory below is there. */
  directory(name: string): void {
    const path = join(this.path, name);
    const first = mkdirSync(path, { recursive: true });
    if (first === undefined) return;
    // Recorded from the outside in: they are removed in the opposite order.
    for (let at = first; ; at = join(at, path.slice(at.length + 1).split('/')[0]!)) {
      this.#made.push(at);
      if (at === path) return;
    }
  }

  /** The size of a file. */
  has(name: string): number | undefined {
    const stat = statSync(join(this.path, name), { throwIfNoEntry: false });
    return stat?.isFile() ? stat.size : undefined;
  }

  /** Into a directory of it, under the hex of its digest. */
  async blob(directory: string, blob: OutgoingBlob): Promise<WrittenBlob> {
    using file = UnnamedFile.make(join(this.path, directory));
    const meter = new BlobMeter();
    const source = await blob.open();
    source.once('error', (error) => meter.destroy(error));
    try {
      for await (const chunk of source.pipe(meter) as AsyncIterable<Buffer>) await writeFully(file.fd, chunk);
    } finally {
      source.destroy();
    }
    const written = meter.written(blob);
    const path = join(this.path, directory, digestHex(written.digest));
    if (file.publish(path, { replace: false })) this.#made.push(path);
    return written;
  }

  async file(name: string, bytes: Uint8Array, options: { readonly replace: boolean } = { replace: true }): Promise<void> {
    const path = join(this.path, name);
    const before = existsSync(path);
    using file = UnnamedFile.make(dirname(path));
    await writeFully(file.fd, bytes);
    if (file.publish(path, options) && !before) this.#made.push(path);
  }

  keep(): void {
    this.#kept = true;
  }

  [Symbol.dispose](): void {
    if (this.#kept) return;
    for (const path of this.#made.toReversed()) {
      if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) removeIfEmpty(path);
      else rmSync(path, { force: true });
    }
  }
}

function removeIfEmpty(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'ENOENT') throw error;
  }
}
