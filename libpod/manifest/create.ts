import { orAbsent } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { addEntry, changeIndex } from '../../storage/list/edit.ts';
import { EMPTY_LIST } from '../../storage/list/format.ts';
import type { ImageIndex } from '../../storage/manifest.ts';
import { formatReference } from '../../storage/reference.ts';
import type { Engine } from '../engine.ts';
import { localName } from '../image/tag.ts';
import type { ImageRecord } from '../state/images.ts';
import { findList } from './find.ts';
import { resolveListed, type Listed, type ListedOptions } from './listed.ts';
import { insertList, refuseTaken, updateList, type ListState } from './rows.ts';

export interface CreateListOptions extends ListedOptions {
  /** A list that is there already gets the images and annotations. */
  readonly amend: boolean;
  readonly annotations: Readonly<Record<string, string>>;
}

/**
 * A list of images, under a name. Where one of the images cannot be found nothing is made.
 * Throws NAME_IN_USE, INVALID_REFERENCE, and what resolveListed throws.
 */
export async function createList(engine: Engine, name: string, images: readonly string[], options: CreateListOptions): Promise<ImageId> {
  const full = formatReference(localName(name));
  const known = options.amend ? await existing(engine, full) : undefined;
  if (!known) refuseTaken(engine, full);
  const listed: Listed[] = [];
  for (const image of images) listed.push(...(await resolveListed(engine, image, options)));
  const put = (index: ImageIndex): ListState => ({
    index: changeIndex(
      listed.reduce((changing, { entry }) => addEntry(changing, entry), index),
      { annotations: options.annotations },
    ),
    instances: listed.map(({ instance }) => instance),
  });
  if (!known) return insertList(engine, full, put(EMPTY_LIST));
  await updateList(engine, known, put);
  return known.id;
}

function existing(engine: Engine, name: string): Promise<ImageRecord | undefined> {
  return orAbsent(() => findList(engine, name), 'NO_SUCH_IMAGE');
}
