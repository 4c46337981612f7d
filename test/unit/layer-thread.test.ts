import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { LayerStore } from '../../storage/layer/store.ts';
import { unpackOnThread } from '../../storage/layer/thread.ts';
import { assembleTar } from '../../storage/layer/assemble.ts';
import { tarOf } from '../fixtures/tar/build.ts';
import { describeTree, Scratch, sha256 } from '../fixtures/tar/layer.ts';

const tar = tarOf([
  { path: 'etc', type: 'directory' },
  { path: 'etc/hello', body: 'world' },
  { path: 'big', body: randomBytes(5 * 2 ** 20) },
]);
const small = tarOf([{ path: 'a', body: 'b' }]);

function* pieces(bytes: Buffer, size = 1 << 16): Generator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

test('a layer unpacked on a thread is the same as elsewhere, and a thread takes one job after the other', async () => {
  using scratch = new Scratch();
  const progress: number[] = [];
  for (const [index, bytes] of [tar, gzipSync(tar), small].entries()) {
    const directory = scratch.directory(String(index));
    const plain = index === 2 ? small : tar;
    const layer = await unpackOnThread({
      directory,
      source: Readable.from(pieces(bytes)),
      diffId: sha256(plain),
      compressed: { digest: sha256(bytes), sizeBytes: bytes.length },
      onProgress: (bytesSoFar) => progress.push(bytesSoFar),
    });
    expect(layer).toMatchObject({ diffId: sha256(plain), tarBytes: plain.length, compressedBytes: bytes.length });
    expect(progress.at(-1)).toBe(bytes.length);
    expect(Buffer.concat(await assembleTar(directory).toArray()).equals(plain)).toBe(true);
  }
  expect(describeTree(join(scratch.path, '2/diff'))).toEqual(['a file b']);
});

test('the store unpacks a large layer that way, and refuses a wrong one leaving nothing', async () => {
  using scratch = new Scratch();
  const store = new LayerStore(scratch.path);
  const options = { compressedDigest: sha256(tar), sizeBytes: tar.length };
  await expect(store.apply(sha256(small), async () => Readable.from(pieces(tar)), options)).rejects.toMatchObject({
    code: 'IMAGE_CORRUPT',
    message: expect.stringContaining('does not match its digest'),
  });
  expect(readdirSync(join(scratch.path, 'tmp'))).toEqual([]);
  expect(store.list()).toEqual([]);
  expect(await store.apply(sha256(tar), async () => Readable.from(pieces(tar)), options)).toMatchObject({ fresh: true });
  expect(await store.verify(sha256(tar))).toBe(true);
});

test('an entry that is refused there is refused here, with code and words', async () => {
  using scratch = new Scratch();
  const bad = tarOf([{ path: '../x', body: '' }]);
  await expect(unpackOnThread({ directory: scratch.path, source: Readable.from([bad]) })).rejects.toMatchObject({
    name: 'EngineError',
    code: 'LAYER_REFUSED',
    message: expect.stringContaining('leads out of the layer'),
  });
});

test('a source that breaks is the error, and an abort does not wait for it', async () => {
  using scratch = new Scratch();
  async function* breaking(): AsyncGenerator<Buffer, void> {
    yield tar.subarray(0, 2 ** 20);
    throw new Error('the cable was pulled');
  }
  const broken = { directory: scratch.directory('a'), source: Readable.from(breaking()) };
  await expect(unpackOnThread(broken)).rejects.toThrow('the cable was pulled');
  async function* endless(): AsyncGenerator<Buffer, void> {
    yield tar.subarray(0, 2 ** 20);
    await new Promise(() => undefined);
  }
  const abort = new AbortController();
  const waiting = unpackOnThread({ directory: scratch.directory('b'), source: Readable.from(endless()), signal: abort.signal });
  setTimeout(() => abort.abort(), 50);
  await expect(waiting).rejects.toMatchObject({ code: 'ABORTED' });
});

test('a source that ends too soon is no layer', async () => {
  using scratch = new Scratch();
  const source = Readable.from(pieces(tar.subarray(0, 3 * 2 ** 20)));
  await expect(unpackOnThread({ directory: scratch.path, source })).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
});
