import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { hasLibdeflate } from '../../host/libdeflate.ts';
import { compress } from '../../storage/transport/compress.ts';

const MIB = 2 ** 20;

/** Compresses, but not to nothing, and no piece looks like another. */
function text(bytes: number): Buffer {
  const content = Buffer.alloc(bytes);
  for (let at = 0, seed = 1; at < bytes; at += 4) {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    content.set([97 + (seed >>> 28), 97 + (seed >>> 30), 32, 97 + (seed >>> 29)].slice(0, bytes - at), at);
  }
  return content;
}

/** In chunks as a file gives them. */
function stream(content: Buffer): Readable {
  const chunks = Array.from({ length: Math.ceil(content.length / 65_536) }, (_, index) =>
    content.subarray(index * 65_536, (index + 1) * 65_536),
  );
  return Readable.from(chunks, { objectMode: false });
}

const makes = [['zlib', false] as const, ...(hasLibdeflate() ? [['libdeflate', true] as const] : [])];

describe.each(makes)('gzip in pieces by %s', (_, withLibrary) => {
  const gzip = (content: Buffer, level?: number): Promise<Buffer> =>
    buffer(compress(stream(content), { compression: 'gzip', ...(level === undefined ? {} : { level }) }, { withLibrary }));

  test.each([0, 1, 65_536, MIB - 1, MIB, MIB + 1, 7 * MIB + 12_345])('%d bytes come back, the same each time', async (bytes) => {
    const content = text(bytes);
    const compressed = await gzip(content);
    expect(gunzipSync(compressed).equals(content)).toBe(true);
    expect((await gzip(content)).equals(compressed)).toBe(true);
    expect(execFileSync('gzip', ['-dc'], { input: compressed, maxBuffer: 2 * bytes + 1 }).equals(content)).toBe(true);
  });

  test('it is hardly larger than in one go, and a level that is not there is the nearest', async () => {
    const content = text(3 * MIB);
    const [fast, usual, best] = [await gzip(content, -5), await gzip(content), await gzip(content, 100)];
    expect(best.length).toBeLessThan(fast.length);
    expect(best.length).toBeLessThanOrEqual(usual.length);
    expect(usual.length).toBeLessThan(execFileSync('gzip', [withLibrary ? '-1' : '-4'], { input: content }).length * 1.03);
    expect(usual.subarray(0, 8)).toEqual(Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0]));
    expect(usual.readUInt32LE(usual.length - 4)).toBe(withLibrary ? MIB : content.length);
  });

  test('an error of the source reaches the reader', async () => {
    const broken = Readable.from(
      (async function* () {
        yield text(2 * MIB);
        throw new Error('the source broke');
      })(),
      { objectMode: false },
    );
    await expect(buffer(compress(broken, { compression: 'gzip' }, { withLibrary }))).rejects.toThrow('the source broke');
  });

  test('a reader that stops ends the source', async () => {
    const source = stream(text(20 * MIB));
    const compressed = compress(source, { compression: 'gzip' }, { withLibrary });
    await once(compressed, 'readable');
    compressed.read();
    compressed.destroy();
    await expect.poll(() => source.destroyed).toBe(true);
  });
});
