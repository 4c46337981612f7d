/** What `manifest inspect` shows: the index of a list in this store, or of one in a registry. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { Descriptor } from '../../storage/image.ts';
import { dockerPlatform, sorted } from '../../storage/list/format.ts';
import type { ImageIndex } from '../../storage/manifest.ts';
import { formatReference } from '../../storage/reference.ts';
import { openRemote, type RegistryAccess } from '../../storage/remote.ts';
import { resolveForPull } from '../../storage/shortnames.ts';
import type { Engine } from '../engine.ts';
import { openAccess } from '../image/access.ts';
import type { RegistryChoice } from '../registry/access.ts';
import { findList, readIndex } from './find.ts';

/** Podman's document, fields in its order. Throws SHORT_NAME_UNRESOLVED, REGISTRY_*, MANIFEST_UNKNOWN, IMAGE_CORRUPT, INVALID_ARGUMENT (a single image). */
export async function inspectedList(engine: Engine, text: string, choice: RegistryChoice): Promise<object> {
  const list = await findList(engine, text).catch((error: unknown) => {
    if (isEngineError(error, 'NO_SUCH_IMAGE', 'INVALID_ARGUMENT')) return undefined;
    throw error;
  });
  if (!list) return shownIndex(await remoteIndex(text, await openAccess(engine, { ...choice, retries: 0 })), new Map());
  const files = new Map(engine.lists.instances(list.id).map((instance) => [instance.digest as string, instance.files]));
  const index = await readIndex(engine, list);
  const shown = shownIndex(index, files);
  // An empty list of this store is a nil slice there.
  return index.manifests.length > 0 ? shown : { ...shown, manifests: null };
}

async function remoteIndex(text: string, access: RegistryAccess): Promise<ImageIndex> {
  const { candidates } = resolveForPull(text.replace(/^docker:\/\//, ''), access.registries);
  const name = `docker://${formatReference(candidates[0]!)}`;
  try {
    using found = await openRemote(text, access);
    if (found.document.kind === 'index') return found.document.index;
    throw new EngineError('INVALID_ARGUMENT', `${name}: Treating single images as manifest lists is not implemented`, {
      hint: 'It is an image, not a manifest list.',
    });
  } catch (error) {
    if (!isEngineError(error, 'REGISTRY_UNREACHABLE', 'REGISTRY_UNAUTHORIZED', 'REGISTRY_ERROR', 'MANIFEST_UNKNOWN')) throw error;
    const { code, hint, message } = error;
    throw new EngineError(code, `reading image ${JSON.stringify(name)}: ${message}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

function shownIndex(
  { mediaType, artifactType, manifests, subject, annotations }: ImageIndex,
  files: ReadonlyMap<string, readonly string[]>,
): object {
  return {
    schemaVersion: 2,
    mediaType,
    ...(artifactType ? { artifactType } : {}),
    manifests: manifests.map((entry) => shownEntry(entry, files.get(entry.digest) ?? [])),
    ...(subject ? { subject: shownEntry(subject, []) } : {}),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations: sorted(annotations) } : {}),
  };
}

function shownEntry(
  { mediaType, size, digest, urls, platform, annotations, artifactType, data }: Descriptor,
  files: readonly string[],
): object {
  return {
    mediaType,
    size,
    digest,
    ...(urls && urls.length > 0 ? { urls } : {}),
    platform: dockerPlatform(platform ?? { architecture: '', os: '' }),
    ...(annotations && Object.keys(annotations).length > 0 ? { annotations: sorted(annotations) } : {}),
    ...(artifactType ? { artifactType } : {}),
    ...(data ? { data } : {}),
    ...(files.length > 0 ? { files } : {}),
  };
}
