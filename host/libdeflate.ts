/** libdeflate (libdeflate.h), where the machine has it: compresses in half the time of zlib, and better. Of an installed package; nothing depends on it. */
import { koffi } from './native.ts';

const LIBRARY = 'libdeflate.so.0';

type Pointer = unknown;
type Compress = (
  compressor: Pointer,
  source: Buffer,
  size: number,
  target: Buffer,
  available: number,
  done: (error: unknown, size: number) => void,
) => void;

interface Functions {
  readonly alloc: (level: number) => Pointer;
  readonly free: (compressor: Pointer) => void;
  readonly bound: (compressor: Pointer, size: number) => number;
  readonly compress: { async: Compress };
}

let functions: Functions | undefined | 'missing';

export function hasLibdeflate(): boolean {
  return load() !== undefined;
}

function load(): Functions | undefined {
  functions ??= bindAll() ?? 'missing';
  return functions === 'missing' ? undefined : functions;
}

function bindAll(): Functions | undefined {
  try {
    const library = koffi.load(LIBRARY);
    return {
      alloc: library.func('void *libdeflate_alloc_compressor(int level)'),
      free: library.func('void libdeflate_free_compressor(void *compressor)'),
      bound: library.func('size_t libdeflate_gzip_compress_bound(void *compressor, size_t size)'),
      compress: library.func(
        'size_t libdeflate_gzip_compress(void *compressor, const uint8_t *source, size_t size, uint8_t *target, size_t available)',
      ),
    };
  } catch {
    return undefined;
  }
}

/** Makes members of gzip files (RFC 1952), one at a time, on a thread of its own. Only where `hasLibdeflate`. */
export class GzipCompressor implements Disposable {
  readonly #functions = load()!;
  readonly #compressor: Pointer;
  #target = Buffer.alloc(0);
  #underWay: Promise<unknown> = Promise.resolve();

  /** `level`: 1 to 12. */
  constructor(level: number) {
    this.#compressor = this.#functions.alloc(level);
  }

  /** Not before the last one is done. `bytes` must stay as they are until then. */
  member(bytes: Buffer): Promise<Buffer> {
    const most = this.#functions.bound(this.#compressor, bytes.length);
    if (this.#target.length < most) this.#target = Buffer.allocUnsafeSlow(most);
    const target = this.#target;
    const done = new Promise<Buffer>((resolve, reject) => {
      this.#functions.compress.async(this.#compressor, bytes, bytes.length, target, target.length, (error, size) => {
        if (error) reject(error);
        else resolve(Buffer.from(target.subarray(0, size)));
      });
    });
    this.#underWay = done.catch(() => undefined);
    return done;
  }

  /** Waits for what is under way. */
  [Symbol.dispose](): void {
    void this.#underWay.then(() => this.#functions.free(this.#compressor));
  }
}
