import { isDigest, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { changeEntry, changeIndex, type EntryChanges } from '../../storage/list/edit.ts';
import type { Engine } from '../engine.ts';
import { lookUpIfName } from '../image/find.ts';
import { openRemote } from '../../storage/remote.ts';
import { openAccess } from '../image/access.ts';
import { findList, readIndex } from './find.ts';
import { updateList } from './rows.ts';
import { resolveSubject } from './subject.ts';

/** `instance`: a digest, or the name of an image whose manifest the list has. Throws NO_SUCH_IMAGE, MANIFEST_UNKNOWN, REGISTRY_*. */
export async function annotateEntry(engine: Engine, name: string, instance: string, changes: EntryChanges): Promise<ImageId> {
  const list = await findList(engine, name);
  const digest = await digestOfInstance(engine, list, instance);
  await updateList(engine, list, (index) => ({ index: changeEntry(index, digest, changes) }));
  return list.id;
}

/** What is said of the list as a whole. Throws NO_SUCH_IMAGE, and what resolveListed throws of the subject. */
export async function annotateIndex(
  engine: Engine,
  name: string,
  changes: { readonly annotations: Readonly<Record<string, string>>; readonly subject?: string | undefined },
): Promise<ImageId> {
  const list = await findList(engine, name);
  const subject = changes.subject === undefined ? undefined : await resolveSubject(engine, changes.subject, { all: false });
  await updateList(engine, list, (index) => ({ index: changeIndex(index, { annotations: changes.annotations, subject }) }));
  return list.id;
}

async function digestOfInstance(engine: Engine, list: Parameters<typeof readIndex>[1], text: string): Promise<Digest> {
  if (isDigest(text)) return text;
  const { manifests } = await readIndex(engine, list);
  const listed = new Set(manifests.map(({ digest }) => digest));
  const image = (await lookUpIfName(engine, text))?.image;
  if (image && listed.has(image.manifestDigest)) return image.manifestDigest;
  // A file of an artifact, by its path or the end of it.
  const artifact = engine.lists.instances(list.id).find(({ files }) => files.some((file) => file === text || file.endsWith(`/${text}`)));
  if (artifact) return artifact.digest;
  try {
    using found = await openRemote(text, await openAccess(engine, {}));
    const digests = [found.digest, ...(found.document.kind === 'index' ? found.document.index.manifests.map(({ digest }) => digest) : [])];
    const digest = digests.find((one) => listed.has(one));
    if (digest !== undefined) return digest;
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'ABORTED') throw error;
    const { code, hint } = error;
    throw new EngineError(
      code,
      `finding instance for ${JSON.stringify(text)}: reading local image ${JSON.stringify(text)} to check if it's in the manifest list: ${error.message}`,
      { cause: error, ...(hint === undefined ? {} : { hint }) },
    );
  }
  throw new EngineError('MANIFEST_UNKNOWN', `finding instance for ${JSON.stringify(text)}: no such instance in the manifest list`);
}
