/** What a word of `manifest add` means: the entries it puts into the index, and where their parts are. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { Descriptor, ImageConfig, ImageManifest, Platform } from '../../storage/image.ts';
import { DOCUMENT_LIMIT_BYTES, INDEX_TYPES, isImageManifest, parseConfig, parseManifest } from '../../storage/manifest.ts';
import { hostPlatform, formatPlatform, selectPlatform } from '../../storage/platform.ts';
import { formatReference, parseTyped, repositoryOf } from '../../storage/reference.ts';
import { openRemote, type RemoteManifest } from '../../storage/remote.ts';
import { parseFileSource } from '../../storage/transport/open.ts';
import { collectBytes, verifyBytes } from '../../storage/verify.ts';
import type { Engine } from '../engine.ts';
import { openAccess } from '../image/access.ts';
import { imageBlobs } from '../image/blobs.ts';
import { lookUpIfName } from '../image/find.ts';
import { digestOfId } from '../image/garbage.ts';
import type { RegistryChoice } from '../registry/access.ts';
import { isList, type ImageRecord } from '../state/images.ts';
import type { ListInstance } from '../state/lists.ts';
import { readIndex } from './find.ts';

export interface Listed {
  readonly entry: Descriptor;
  readonly instance: ListInstance;
}

export interface ListedOptions extends RegistryChoice {
  /** Of an index: everything it lists, not only what is for this machine. */
  readonly all: boolean;
}

const LOCAL_TRANSPORT = 'containers-storage:';
const REMOTE_TRANSPORT = 'docker://';

/**
 * An image or list of this store, or one in a registry. A short name, an id and `localhost/…` are looked for here first, other names in their
 * registry first, as what is there is what others will get.
 * Throws NO_SUCH_IMAGE, REGISTRY_*, MANIFEST_UNKNOWN, SHORT_NAME_UNRESOLVED, PLATFORM_MISMATCH, IMAGE_CORRUPT, NOT_SUPPORTED (file transports).
 */
export async function resolveListed(engine: Engine, text: string, options: ListedOptions): Promise<readonly Listed[]> {
  if (text.startsWith(LOCAL_TRANSPORT)) return local(engine, text.slice(LOCAL_TRANSPORT.length), options);
  if (text.startsWith(REMOTE_TRANSPORT)) {
    return remote(engine, text, options).catch((error: unknown) => {
      throw reworded(error, `setting up to read manifest and configuration from ${JSON.stringify(text)}`);
    });
  }
  const file = parseFileSource(text);
  if (file) {
    throw new EngineError('NOT_SUPPORTED', `adding from ${file.transport}: is not supported`, {
      hint: 'Get the image into the store first (lichen pull), then add it by its id.',
    });
  }
  const here = await lookUpIfName(engine, text);
  if (here && isHereFirst(text)) return ofRecord(engine, here.image, options);
  try {
    return await remote(engine, text, options);
  } catch (error) {
    if (here) return ofRecord(engine, here.image, options);
    if (!(error instanceof EngineError) || error.code === 'ABORTED') throw error;
    const { code, hint } = error;
    throw new EngineError(
      code,
      `locating image to add to manifest list: "docker://${text}": ${error.message}; ${JSON.stringify(text)}: ${text}: image not known`,
      { cause: error, ...(hint === undefined ? {} : { hint }) },
    );
  }
}

function isHereFirst(text: string): boolean {
  try {
    const { domain } = parseTyped(text);
    return domain === undefined || domain === 'localhost';
  } catch (error) {
    // A full id is no reference.
    if (isEngineError(error, 'INVALID_REFERENCE')) return true;
    throw error;
  }
}

async function local(engine: Engine, name: string, options: ListedOptions): Promise<readonly Listed[]> {
  const found = await lookUpIfName(engine, name);
  if (found) return ofRecord(engine, found.image, options);
  throw new EngineError(
    'NO_SUCH_IMAGE',
    `setting up to read manifest and configuration from "${LOCAL_TRANSPORT}${name}": ${name}: image not known`,
  );
}

async function ofRecord(engine: Engine, image: ImageRecord, { all }: ListedOptions): Promise<readonly Listed[]> {
  if (!isList(image)) return [await ofImage(engine, image)];
  const { manifests } = await readIndex(engine, image);
  const instances = new Map(engine.lists.instances(image.id).map((instance) => [instance.digest, instance]));
  const chosen = all ? manifests : [forHost(manifests, `manifest list ${image.id}`)];
  return chosen.map((entry) => ({ entry, instance: instances.get(entry.digest)! }));
}

async function ofImage(engine: Engine, image: ImageRecord): Promise<Listed> {
  const { length: size } = await imageBlobs(engine).read(image.manifestDigest);
  const { manifestDigest: digest, manifestType: mediaType, layers } = image;
  return {
    entry: { mediaType, digest, size, platform: platformOf(image.config) },
    instance: { digest, blobs: [digest, digestOfId(image.id)], layers, files: [] },
  };
}

async function remote(engine: Engine, text: string, options: ListedOptions): Promise<readonly Listed[]> {
  using found = await openRemote(text, await openAccess(engine, options));
  if (found.document.kind === 'manifest') return [await ofRemoteManifest(found, found.document.manifest, found)];
  const { manifests } = found.document.index;
  if (options.all) return manifests.map((entry) => ofRemoteEntry(found, entry));
  const entry = forHost(manifests, `docker://${formatReference(found.name)}`);
  const { bytes, contentType } = await found.repository.manifest(entry.digest, entry.digest);
  const what = `manifest ${entry.digest} of docker://${formatReference(found.name)}`;
  verifyBytes(bytes, entry, what);
  const manifest = parseManifest(bytes, contentType ?? entry.mediaType, what);
  return [
    ofRemoteEntry(
      found,
      entry.platform?.architecture ? entry : (await ofRemoteManifest(found, manifest, { digest: entry.digest, bytes })).entry,
    ),
  ];
}

function ofRemoteEntry(found: RemoteManifest, entry: Descriptor): Listed {
  if (INDEX_TYPES.includes(entry.mediaType)) {
    throw new EngineError('IMAGE_CORRUPT', `docker://${formatReference(found.name)}: an index in an index`, {
      hint: `Add it by its own digest: ${repositoryOf(found.name)}@${entry.digest}`,
    });
  }
  return { entry, instance: remoteInstance(found, entry) };
}

async function ofRemoteManifest(
  found: RemoteManifest,
  manifest: ImageManifest,
  { digest, bytes }: Pick<RemoteManifest, 'digest' | 'bytes'>,
): Promise<Listed> {
  const entry: Descriptor = { mediaType: manifest.mediaType, digest, size: bytes.length };
  const instance = remoteInstance(found, entry);
  if (!isImageManifest(manifest))
    return { entry: { ...entry, artifactType: manifest.artifactType ?? manifest.config.mediaType }, instance };
  const what = `config of docker://${formatReference(found.name)}`;
  const config = await collectBytes(await found.repository.blob(manifest.config), DOCUMENT_LIMIT_BYTES, what);
  verifyBytes(config, manifest.config, what);
  return { entry: { ...entry, platform: platformOf(parseConfig(config, manifest, what)) }, instance };
}

function remoteInstance({ name }: RemoteManifest, { digest }: Descriptor): ListInstance {
  return { digest, source: `${repositoryOf(name)}@${digest}`, blobs: [], layers: [], files: [] };
}

function platformOf(config: ImageConfig): Platform {
  const { os, architecture, variant } = config;
  const { 'os.version': osVersion, 'os.features': osFeatures } = config;
  return {
    architecture,
    os,
    ...(variant ? { variant } : {}),
    ...(osVersion ? { 'os.version': osVersion } : {}),
    ...(osFeatures && osFeatures.length > 0 ? { 'os.features': osFeatures } : {}),
  };
}

function forHost(entries: readonly Descriptor[], what: string): Descriptor {
  const platform = hostPlatform();
  const entry = selectPlatform(entries, platform);
  if (entry) return entry;
  throw new EngineError('PLATFORM_MISMATCH', `${what}: no image found in image index for ${formatPlatform(platform)}`, {
    hint: 'Use --all to add everything it lists.',
  });
}

function reworded(error: unknown, prefix: string): unknown {
  if (!(error instanceof EngineError) || error.code === 'ABORTED') return error;
  const { code, message, hint } = error;
  return new EngineError(code, `${prefix}: ${message}`, { cause: error, ...(hint === undefined ? {} : { hint }) });
}
