/** What a word of `manifest add` means: the entries it puts into the index, and where their parts are. */
import { EngineError, isEngineError } from '../../core/errors.ts';
import { storeImage } from '../../storage/copy.ts';
import type { Descriptor, ImageConfig, ImageManifest, Platform } from '../../storage/image.ts';
import { DOCUMENT_LIMIT_BYTES, INDEX_TYPES, isImageManifest, parseConfig, parseManifest } from '../../storage/manifest.ts';
import { hostPlatform, formatPlatform, selectPlatform } from '../../storage/platform.ts';
import { formatReference, parseTyped, repositoryOf } from '../../storage/reference.ts';
import { openRemote, type RemoteManifest } from '../../storage/remote.ts';
import { openFileSource, parseFileSource, type FileSource } from '../../storage/transport/open.ts';
import { collectBytes, verifyBytes } from '../../storage/verify.ts';
import type { Engine } from '../engine.ts';
import { openAccess } from '../image/access.ts';
import { imageBlobs, stagingDirectory } from '../image/blobs.ts';
import { lookUpIfName } from '../image/find.ts';
import { digestOfId } from '../image/garbage.ts';
import { copyRequest } from '../image/store.ts';
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
 * An image or list of this store, one in a registry, or one in an archive or directory. A short name, an id and `localhost/…` are looked for here first, other names in their
 * registry first, as what is there is what others will get.
 * Throws NO_SUCH_IMAGE, REGISTRY_*, MANIFEST_UNKNOWN, SHORT_NAME_UNRESOLVED, PLATFORM_MISMATCH, IMAGE_CORRUPT, ARCHIVE_UNSUPPORTED,
 * NOT_SUPPORTED (docker-daemon and other transports).
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
    return [
      await ofFile(engine, file, options).catch((error: unknown) => {
        throw reworded(error, `setting up to read manifest and configuration from ${JSON.stringify(text)}`);
      }),
    ];
  }
  const here = await lookUpIfName(engine, text);
  if (here && isHereFirst(text)) return ofRecord(engine, here.image, options);
  try {
    return await remote(engine, text, options);
  } catch (error) {
    if (here) return ofRecord(engine, here.image, options);
    if (!(error instanceof EngineError) || error.code === 'ABORTED') throw error;
    const { code, hint, message } = error;
    const [there, hereToo] =
      code === 'INVALID_REFERENCE' ? [message.replace(/^parsing reference ".*?": /, ''), message] : [message, `${text}: image not known`];
    throw new EngineError(
      code,
      `locating image to add to manifest list: "docker://${text}": ${there}; ${JSON.stringify(text)}: ${hereToo}`,
      {
        cause: error,
        ...(hint === undefined ? {} : { hint }),
      },
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

/** Its parts are copied into the store, where the list keeps them: the archive may be gone by the time of a push. */
async function ofFile(engine: Engine, { transport, rest }: FileSource, { all }: ListedOptions): Promise<Listed> {
  const platform = hostPlatform();
  await using opened = await openFileSource(transport, rest, { staging: stagingDirectory(engine), platform });
  const [source, ...more] = opened.images;
  if (source === undefined || more.length > 0) {
    throw new EngineError('ARCHIVE_UNSUPPORTED', `${rest} holds ${opened.images.length} images`, {
      hint: `Name one of them: ${transport}:${rest}:NAME`,
    });
  }
  if (all && (await source.manifest()).indexDigest !== undefined) {
    throw new EngineError('NOT_SUPPORTED', `${source.label}: all of an index in files is not supported`, {
      hint: 'Without --all the image for this machine is added. Push the index to a registry to add all of it.',
    });
  }
  const stored = await storeImage(source, await copyRequest(engine, {}));
  await (await engine.layers()).settle();
  const { manifestDigest: digest, mediaType, layers } = stored;
  const { length: size } = await imageBlobs(engine).read(digest);
  return {
    entry: { mediaType, digest, size, platform: platformOf(stored.config) },
    instance: { digest, blobs: [digest, digestOfId(stored.imageId)], layers, files: [] },
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
