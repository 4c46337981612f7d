/** A name or id typed by someone, and the image it means here. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { answersTo, formatReference, parseReference, parseTyped, withDefaultTag } from '../../storage/reference.ts';
import type { RegistriesConf } from '../../storage/registries.ts';
import { localCandidates } from '../../storage/shortnames.ts';
import type { Engine } from '../engine.ts';
import { userRegistriesConf } from '../registry/access.ts';
import { isList, type ImageRecord } from '../state/images.ts';

export interface FoundImage {
  readonly image: ImageRecord;
  /** The full name it was found under; absent when it was found by id. */
  readonly name?: string;
}

/** A name of a manifest list means the image in it for this machine. Throws NO_SUCH_IMAGE (Podman's words), AMBIGUOUS_ID, INVALID_REFERENCE. */
export async function findImage(engine: Engine, text: string): Promise<FoundImage> {
  const found = await findImageOrList(engine, text);
  if (!isList(found.image)) return found;
  const { instanceForHost } = await import('../manifest/instance.ts');
  return instanceForHost(engine, found.image);
}

/** The same where the list itself is meant. */
export async function findImageOrList(engine: Engine, text: string): Promise<FoundImage> {
  const found = await lookUpImageOrList(engine, text);
  if (found) return found;
  throw new EngineError('NO_SUCH_IMAGE', `${text}: image not known`);
}

/** Undefined when no image here answers to the text, or only a list without one for this machine. Throws AMBIGUOUS_ID. */
export async function lookUpImage(engine: Engine, text: string): Promise<FoundImage | undefined> {
  const found = await lookUpIfName(engine, text);
  if (found === undefined || !isList(found.image)) return found;
  const { instanceForHost } = await import('../manifest/instance.ts');
  return instanceForHost(engine, found.image).catch((error: unknown) => {
    if (isEngineError(error, 'NO_SUCH_IMAGE', 'PLATFORM_MISMATCH')) return undefined;
    throw error;
  });
}

/**
 * Undefined when nothing here answers to the text. By name first: an id that looks like a name is rare, the other way it is not.
 * Throws AMBIGUOUS_ID, and INVALID_REFERENCE for what can be neither a name nor an id.
 */
export async function lookUpImageOrList(engine: Engine, text: string): Promise<FoundImage | undefined> {
  let malformed: EngineError | undefined;
  const byName = await lookUpName(engine, text).catch((error: unknown) => {
    if (!isEngineError(error, 'INVALID_REFERENCE')) throw error;
    malformed = error;
    return undefined;
  });
  if (byName) return byName;
  const id = text.replace(/^sha256:/, '');
  const image = engine.images.byIdPrefix(id);
  // A whole id is no name either.
  if (image === undefined && malformed !== undefined && !/^[0-9a-f]{64}$/.test(id)) throw malformed;
  return image && { image };
}

/** The same for a word that may mean something else: what can be no image's name names none. */
export async function lookUpIfName(engine: Engine, text: string): Promise<FoundImage | undefined> {
  try {
    return await lookUpImageOrList(engine, text);
  } catch (error) {
    if (isEngineError(error, 'INVALID_REFERENCE')) return undefined;
    throw error;
  }
}

async function lookUpName(engine: Engine, text: string): Promise<FoundImage | undefined> {
  const typed = parseTyped(text);
  // What a full name means does not depend on registries.conf.
  const candidates =
    typed.domain === undefined ? localCandidates(text, await registriesConf(engine)) : [withDefaultTag(parseReference(text))];
  for (const candidate of candidates) {
    const { digest, ...named } = candidate;
    if (digest !== undefined) {
      const image = byDigest(engine, digest, formatReference({ ...named }));
      if (image) return image;
      continue;
    }
    const name = formatReference(candidate);
    const image = engine.images.byName(name);
    if (image) return { image, name };
  }
  for (const { name, imageId } of engine.images.allNames()) {
    if (name.includes('@') || !answersTo(parseReference(name), typed)) continue;
    const image = engine.images.byId(imageId);
    if (image) return { image, name };
  }
  return undefined;
}

function byDigest(engine: Engine, digest: string, repository: string): FoundImage | undefined {
  const image = engine.images.list().find((one) => one.manifestDigest === digest || one.indexDigest === digest);
  if (!image) return undefined;
  const base = repository.replace(/:[^:/]*$/, '');
  const name = image.names.find((one) => one.startsWith(`${base}:`) || one.startsWith(`${base}@`));
  return name === undefined ? undefined : { image, name: `${base}@${digest}` };
}

const loaded = new WeakMap<Engine, Promise<RegistriesConf>>();

/** registries.conf as the user of the store has it, read once. Throws CONFIG. */
export function registriesConf(engine: Engine): Promise<RegistriesConf> {
  let conf = loaded.get(engine);
  if (conf === undefined) loaded.set(engine, (conf = userRegistriesConf(engine.paths.config, engine.options.env)));
  return conf;
}
