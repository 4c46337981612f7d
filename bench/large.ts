/** A deterministic image of about 600 MB: 12,000 files of many sizes in four layers, half of it compressible, as real ones are. */
import { createHash } from 'node:crypto';
import { cached } from '../test/fixtures/build/cache.ts';
import { buildImage, readBuilt, writeForm, type BuiltImage, type ImageForm } from '../test/fixtures/build/image.ts';
import { directory, file, type TarEntry } from '../test/fixtures/build/tar.ts';
import { LARGE_IMAGE } from './rows.ts';

const LAYERS = 4;
const FILES_PER_LAYER = 3000;
const FILES_PER_DIRECTORY = 50;
const MEAN_FILE_BYTES = 50_000;

export async function largeImage(): Promise<BuiltImage> {
  return readBuilt(
    await cached('large.built', async (path) => {
      const layers = Array.from({ length: LAYERS }, (_, index) => layerEntries(index));
      await buildImage({ reference: LARGE_IMAGE, layers, config: { Cmd: ['/bin/true'] } }, path);
    }),
  );
}

export async function largeArchive(form: ImageForm): Promise<string> {
  return cached(`large.${form}.tar`, async (path) => writeForm(await largeImage(), form, path));
}

function* layerEntries(layer: number): Generator<TarEntry> {
  yield directory(`layer-${layer}`);
  for (let index = 0; index < FILES_PER_LAYER; index++) {
    const parent = `layer-${layer}/${Math.floor(index / FILES_PER_DIRECTORY)}`;
    if (index % FILES_PER_DIRECTORY === 0) yield directory(parent);
    yield file(`${parent}/file-${index}`, content(`${layer}/${index}`));
  }
}

/** Sizes vary from a few hundred bytes to ten times the mean; every second 4 KiB are text, the rest pseudo-random. */
function content(seed: string): Buffer {
  const digest = createHash('sha256').update(seed).digest();
  const share = digest.readUInt32LE(0) / 2 ** 32;
  const sizeBytes = Math.round(200 + MEAN_FILE_BYTES * 3 * share ** 2);
  const bytes = Buffer.alloc(sizeBytes, `${seed} lorem ipsum dolor sit amet `);
  let state = digest.readUInt32LE(4) | 1;
  for (let at = 0; at + 8192 <= sizeBytes; at += 8192) {
    for (let word = at; word < at + 4096; word += 4) {
      // xorshift32: fast, and the same on every machine.
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      bytes.writeInt32LE(state, word);
    }
  }
  return bytes;
}
