import { EngineError, isEngineError } from '../../core/errors.ts';
import { formatReference, parseLocalReference, type Reference } from '../../storage/reference.ts';
import type { Engine } from '../engine.ts';
import type { ImageRecord } from '../state/images.ts';
import { findImageOrList, lookUpImageOrList } from './find.ts';

/** Give the image more names; a name of another image moves over. All or none. Throws NO_SUCH_IMAGE, INVALID_REFERENCE. */
export async function tagImage(engine: Engine, nameOrId: string, targets: readonly string[]): Promise<void> {
  const { image } = await findImageOrList(engine, nameOrId);
  const names = targets.map((target) => formatReference(nameToTag(target)));
  engine.db.transaction(() => {
    refuseRemoved(engine, image, nameOrId);
    for (const name of names) {
      engine.images.name(name, image.id);
      engine.events.add({ type: 'image', status: 'tag', id: image.id, name });
    }
  });
}

/** Take names from the image, all of them where none is given. It stays, nameless. Throws NO_SUCH_IMAGE, INVALID_REFERENCE. */
export async function untagImage(engine: Engine, nameOrId: string, targets: readonly string[]): Promise<void> {
  const { image } = await findImageOrList(engine, nameOrId);
  const names = targets.length === 0 ? image.names : await Promise.all(targets.map((target) => nameOfImage(engine, image, target)));
  engine.db.transaction(() => {
    for (const name of names) {
      engine.images.unname(name);
      engine.events.add({ type: 'image', status: 'untag', id: image.id, name });
    }
  });
}

/** Where Podman says it twice. Throws INVALID_REFERENCE. */
export function nameToTag(target: string): Reference {
  try {
    return localName(target);
  } catch (error) {
    if (!isEngineError(error, 'INVALID_REFERENCE') || !error.message.startsWith('normalizing')) throw error;
    throw new EngineError('INVALID_REFERENCE', `normalizing name ${JSON.stringify(target)}: ${error.message}`, { cause: error });
  }
}

/** A name for something stored here. Throws INVALID_REFERENCE with Podman's words. */
export function localName(target: string): Reference {
  try {
    const reference = parseLocalReference(target);
    if (reference.digest !== undefined) throw new EngineError('INVALID_REFERENCE', `${target}: tag by digest not supported`);
    return reference;
  } catch (error) {
    if (!isEngineError(error, 'INVALID_REFERENCE') || error.message.endsWith('not supported')) throw error;
    const why = error.message.slice(error.message.lastIndexOf(': ') + 2);
    throw new EngineError('INVALID_REFERENCE', `normalizing name ${JSON.stringify(target)}: ${why}`, { cause: error });
  }
}

/** A short name may mean localhost, as for `tag`, or whatever it finds, as everywhere else. */
async function nameOfImage(engine: Engine, image: ImageRecord, target: string): Promise<string> {
  const local = formatReference(localName(target));
  if (image.names.includes(local)) return local;
  const found = await lookUpImageOrList(engine, target);
  if (found?.image.id === image.id && found.name !== undefined && image.names.includes(found.name)) return found.name;
  throw new EngineError('NO_SUCH_IMAGE', `${local}: tag not known`);
}

/** Between finding it and this transaction somebody may have removed it. */
function refuseRemoved(engine: Engine, image: ImageRecord, nameOrId: string): void {
  if (!engine.images.has(image.id)) throw new EngineError('NO_SUCH_IMAGE', `${nameOrId}: image not known`);
}
