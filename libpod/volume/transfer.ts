/** `volume export` and `volume import`: what a volume holds, as a tar. */
import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import { decompress, detectCompression, MAGIC_BYTES } from '../../storage/transport/compression.ts';
import { archiveTree } from '../../storage/tree/archive.ts';
import { plainWords, unarchiveTree } from '../../storage/tree/unarchive.ts';
import { volumeData } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import type { VolumeRecord } from '../state/volumes.ts';
import { log } from '../../core/log.ts';
import { useMounted } from './mount.ts';

/** In pieces, each handed to `write` before the next is read. Throws what mounting the volume throws. */
export async function exportVolume(engine: Engine, volume: VolumeRecord, write: (bytes: Buffer) => void): Promise<void> {
  await useMounted(engine, volume, async () => {
    for (const piece of archiveTree(volumeData(engine, volume.name))) write(piece);
  });
}

/**
 * Into what is there already; names that are taken are replaced. The input may be compressed.
 * Throws IMAGE_CORRUPT, LAYER_REFUSED, STORE_FULL; what came before the failure stays.
 */
export async function importVolume(engine: Engine, volume: VolumeRecord, source: Readable): Promise<void> {
  await useMounted(engine, volume, async () => {
    try {
      const plain = await plainTar(source);
      if (plain === undefined) return;
      const notices = await unarchiveTree(plain as AsyncIterable<Buffer>, volumeData(engine, volume.name));
      for (const line of notices) log.warn(line);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      throw new EngineError(error.code, `extracting into volume ${volume.name}: ${plainWords(error)}`, { cause: error });
    }
  });
}

/** Throws INVALID_ARGUMENT where there is no such file. */
export function openArchive(path: string): Promise<Readable> {
  const stream = createReadStream(path, { highWaterMark: 2 ** 18 });
  return new Promise((resolve, reject) => {
    stream.once('open', () => resolve(stream));
    stream.once('error', reject);
  });
}

/** Undefined for no input at all, which is an empty archive to Podman. */
async function plainTar(source: Readable): Promise<Readable | undefined> {
  const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let start = Buffer.alloc(0);
  while (start.length < MAGIC_BYTES) {
    const { value, done } = await pieces.next();
    if (done === true) break;
    start = Buffer.concat([start, value]);
  }
  if (start.length === 0) return undefined;
  const whole = Readable.from(
    (async function* () {
      yield start;
      for (;;) {
        const { value, done } = await pieces.next();
        if (done === true) return;
        yield value;
      }
    })(),
    { objectMode: false },
  );
  return decompress(whole, detectCompression(start));
}
