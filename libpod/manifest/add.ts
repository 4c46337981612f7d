import type { ImageId } from '../../core/id.ts';
import { addEntry, changed, changeIndex, type EntryChanges } from '../../storage/list/edit.ts';
import { lockFile } from '../../host/flock.ts';
import { incomingLock } from '../image/garbage.ts';
import type { Engine } from '../engine.ts';
import { artifactListed, type ArtifactOptions } from './artifact.ts';
import { findList } from './find.ts';
import { resolveListed, type Listed, type ListedOptions } from './listed.ts';
import { updateList } from './rows.ts';
import { resolveSubject } from './subject.ts';

export interface AddOptions extends ListedOptions {
  /** Said of each entry that is added. */
  readonly changes: EntryChanges;
  /** The words are files, to be put together into one artifact. */
  readonly artifact?: ArtifactOptions | undefined;
}

/** All or none are added; an entry of the same digest is replaced. Throws NO_SUCH_IMAGE and what resolveListed and keepFile throw. */
export async function addToList(engine: Engine, name: string, words: readonly string[], options: AddOptions): Promise<ImageId> {
  const list = await findList(engine, name);
  const { artifact, changes } = options;
  // What is copied into the store is not swept away before the list names it.
  using _incoming = await lockFile(incomingLock(engine), { mode: 'shared' });
  const subject = artifact?.subject === undefined ? undefined : await resolveSubject(engine, artifact.subject, options);
  const found: Listed[] = [];
  if (artifact) found.push(await artifactListed(engine, words, artifact));
  else for (const word of words) found.push(...(await resolveListed(engine, word, options)));
  const listed = found.map(({ entry, instance }) => ({ entry: changed(entry, changes), instance }));
  await updateList(engine, list, (index) => ({
    index: changeIndex(
      listed.reduce((changing, { entry }) => addEntry(changing, entry), index),
      { subject },
    ),
    instances: listed.map(({ instance }) => instance),
  }));
  return list.id;
}
