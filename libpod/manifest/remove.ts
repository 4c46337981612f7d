import { isDigest, type Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { removeEntry } from '../../storage/list/edit.ts';
import type { Engine } from '../engine.ts';
import { removeImages, type RemovedImages } from '../image/remove.ts';
import { findList } from './find.ts';
import { updateList } from './rows.ts';

/** Take one entry from the list; what the store kept only for it goes, too. Throws NO_SUCH_IMAGE, INVALID_REFERENCE, MANIFEST_UNKNOWN. */
export async function removeFromList(engine: Engine, name: string, text: string): Promise<ImageId> {
  const list = await findList(engine, name);
  const prefix = `removing from manifest list ${name}`;
  const digest = digestWord(text, prefix);
  await updateList(engine, list, (index) => {
    try {
      return { index: removeEntry(index, digest) };
    } catch (error) {
      throw error instanceof EngineError ? new EngineError(error.code, `${prefix}: ${error.message}`, { cause: error }) : error;
    }
  });
  return list.id;
}

/** Lists by name; an image is none. As `rmi`: by one of several names only that name goes. */
export async function removeLists(
  engine: Engine,
  names: readonly string[],
  { ignoreMissing }: { readonly ignoreMissing: boolean },
): Promise<RemovedImages> {
  for (const name of names) {
    await findList(engine, name).catch((error: unknown) => {
      if (!ignoreMissing || !isEngineError(error, 'NO_SUCH_IMAGE')) throw error;
    });
  }
  return removeImages(engine, names, { force: false, keepParents: false, ignoreMissing });
}

/** Throws INVALID_REFERENCE in the words of Go's digest package. */
function digestWord(text: string, prefix: string): Digest {
  if (isDigest(text)) return text;
  const why = /^[a-z0-9]+:/.test(text) && !text.startsWith('sha256:') ? 'unsupported digest algorithm' : 'invalid checksum digest format';
  throw new EngineError('INVALID_REFERENCE', `${prefix}: invalid image digest ${JSON.stringify(text)}: ${why}`);
}
