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
  try {
    const digest = digestWord(text);
    const list = await findList(engine, name);
    await updateList(engine, list, (index) => ({ index: removeEntry(index, digest) }));
    return list.id;
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const { code, message, hint } = error;
    throw new EngineError(code, `removing from manifest list ${name}: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
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
function digestWord(text: string): Digest {
  if (isDigest(text)) return text;
  const why = /^[a-z0-9]+:/.test(text) && !text.startsWith('sha256:') ? 'unsupported digest algorithm' : 'invalid checksum digest format';
  throw new EngineError('INVALID_REFERENCE', `invalid image digest ${JSON.stringify(text)}: ${why}`);
}
