/** Compressed streams, told by their first bytes: names and media types are wrong too often. */
import { Readable, type Duplex } from 'node:stream';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { EngineError } from '../../core/errors.ts';
import { launch } from '../../host/process.ts';

export type Compression = 'gzip' | 'zstd' | 'xz' | 'bzip2';

const MAGIC: readonly (readonly [Compression, Buffer])[] = [
  ['gzip', Buffer.of(0x1f, 0x8b)],
  ['zstd', Buffer.of(0x28, 0xb5, 0x2f, 0xfd)],
  ['xz', Buffer.from('\xfd7zXZ\0', 'latin1')],
  ['bzip2', Buffer.from('BZh')],
];
export const MAGIC_BYTES = 6;

/** Undefined for anything else: plain, or unknown. */
export function detectCompression(start: Buffer): Compression | undefined {
  // A zstd file may open with a skippable frame (RFC 8878 3.1.2).
  if (start.length >= 4 && (start.readUInt32LE() & 0xfffffff0) >>> 0 === 0x184d2a50) return 'zstd';
  return MAGIC.find(([, magic]) => start.subarray(0, magic.length).equals(magic))?.[0];
}

/** Errors of the source reach the result, and IMAGE_CORRUPT where a program of this machine finds a damage. Throws HELPER_MISSING for xz and bzip2 where the program is not installed. */
export async function decompress(source: Readable, compression: Compression | undefined): Promise<Readable> {
  if (compression === undefined) return source;
  if (compression === 'gzip') return joined(source, createGunzip({ chunkSize: 2 ** 18 }));
  if (compression === 'zstd') return joined(source, createZstdDecompress({ chunkSize: 2 ** 18 }));
  return throughHelper(source, compression);
}

function joined(source: Readable, through: Duplex): Readable {
  source.once('error', (error) => through.destroy(error));
  through.once('close', () => source.destroy());
  return source.pipe(through);
}

const PACKAGES = { xz: 'xz-utils', bzip2: 'bzip2' } as const;

/** Node has no xz or bzip2. The program is found on this machine, never in an image. */
async function throughHelper(source: Readable, program: keyof typeof PACKAGES): Promise<Readable> {
  const child = await launch(program, ['-dc'], { stdio: ['pipe', 'pipe', 'ignore'], package: PACKAGES[program] });
  const input = child.pipe(0);
  // It may end before it has read everything: its exit status tells, not EPIPE.
  input.on('error', () => undefined);
  source.once('error', () => child.kill('SIGKILL'));
  source.pipe(input);
  return Readable.from(outputOf(child.pipe(1), child.exited, program), { objectMode: false });
}

async function* outputOf(stdout: Readable, exited: Promise<{ code: number }>, program: string): AsyncGenerator<Buffer> {
  yield* stdout as AsyncIterable<Buffer>;
  const { code } = await exited;
  if (code !== 0) throw new EngineError('IMAGE_CORRUPT', `${program}: exit status ${code}: the input is damaged`);
}
