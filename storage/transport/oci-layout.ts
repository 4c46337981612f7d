/** An OCI image layout (image-spec image-layout.md), as a directory or in a tar: `oci-layout`, `index.json`, `blobs/sha256/…`. */
import type { Readable } from 'node:stream';
import { digestHex, type Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { Descriptor, Platform } from '../image.ts';
import { DOCUMENT_LIMIT_BYTES, parseDocument, parseManifest, INDEX_TYPES } from '../manifest.ts';
import { formatPlatform, selectPlatform } from '../platform.ts';
import { formatReference, parseLocalReference, parseReference, withDefaultTag } from '../reference.ts';
import { digestOf, verifyBytes } from '../verify.ts';
import type { Files } from './files.ts';
import type { ImageSource, ManifestDocument } from './source.ts';

const INDEX = 'index.json';
export const REF_NAME = 'org.opencontainers.image.ref.name';
/** Docker and containerd write the whole name here, and only the tag as ref.name. */
const CONTAINERD_NAME = 'io.containerd.image.name';
/** An index in an index in an index is a build tool's work; deeper is an attack. */
const NESTING_LIMIT = 4;

export interface LayoutRequest {
  readonly transport: 'oci' | 'oci-archive';
  readonly platform: Platform;
  /** Only the image of this ref.name. */
  readonly name?: string | undefined;
}

export async function isOciLayout(files: Files): Promise<boolean> {
  return (await files.sizeOf(INDEX)) !== undefined;
}

/** The named image, else one source per named entry of index.json, else the one for the platform. Throws IMAGE_CORRUPT, NO_SUCH_IMAGE, PLATFORM_MISMATCH. */
export async function openOciLayout(files: Files, request: LayoutRequest): Promise<readonly ImageSource[]> {
  const what = `${INDEX} of ${files.path}`;
  const document = parseDocument(await files.read(INDEX, DOCUMENT_LIMIT_BYTES), INDEX_TYPES[0], what);
  if (document.kind !== 'index') throw new EngineError('IMAGE_CORRUPT', `${what}: is no index`);
  return chooseEntries(document.index.manifests, files, request).map((entry) => new LayoutImage(files, request, entry));
}

class LayoutImage implements ImageSource {
  readonly label: string;
  readonly origin: ImageSource['origin'];
  readonly names: readonly string[];
  readonly #files: Files;
  readonly #entry: Descriptor;
  readonly #platform: Platform;

  constructor(files: Files, request: LayoutRequest, entry: Descriptor) {
    const name = nameOf(entry);
    const named = request.transport === 'oci' ? request.name : undefined;
    this.label = `${request.transport}:${files.path}${name === undefined ? '' : `:${name}`}`;
    this.origin = { transport: request.transport, name: files.path };
    // What follows the path of a directory is a name as of a registry, that in an archive one of this machine: as Podman.
    if (named !== undefined) this.names = [formatReference(withDefaultTag(parseReference(named)))];
    else this.names = name === undefined ? [] : [formatReference(parseLocalReference(name))];
    this.#files = files;
    this.#entry = entry;
    this.#platform = request.platform;
  }

  async manifest(): Promise<ManifestDocument> {
    let entry = this.#entry;
    let indexDigest: Digest | undefined;
    for (let depth = 0; depth < NESTING_LIMIT; depth++) {
      const what = `manifest ${entry.digest} of ${this.label}`;
      const bytes = await this.#files.read(blobName(entry.digest), DOCUMENT_LIMIT_BYTES);
      verifyBytes(bytes, entry, what);
      const document = parseDocument(bytes, entry.mediaType, what);
      if (document.kind === 'manifest') {
        return {
          bytes,
          mediaType: document.manifest.mediaType,
          digest: digestOf(bytes),
          ...(indexDigest === undefined ? {} : { indexDigest }),
        };
      }
      indexDigest ??= entry.digest;
      entry = selectPlatform(document.index.manifests, this.#platform) ?? noneFor(this.#platform, this.label);
    }
    throw new EngineError('IMAGE_CORRUPT', `${this.label}: more than ${NESTING_LIMIT} indexes in one another`);
  }

  blob({ digest }: Descriptor): Promise<Readable> {
    return this.#files.stream(blobName(digest));
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** `dir:`, what skopeo and `save --format docker-dir` write: manifest.json, `version`, and blobs under the hex of their digests. */
export async function openImageDirectory(files: Files): Promise<ImageSource> {
  const label = `dir:${files.path}`;
  const bytes = await files.read('manifest.json', DOCUMENT_LIMIT_BYTES);
  const { mediaType } = parseManifest(bytes, undefined, `manifest of ${label}`);
  return {
    label,
    origin: { transport: 'dir', name: files.path },
    names: [],
    manifest: async () => ({ bytes, mediaType, digest: digestOf(bytes) }),
    blob: ({ digest }) => files.stream(digestHex(digest)),
    [Symbol.asyncDispose]: async () => undefined,
  };
}

function chooseEntries(entries: readonly Descriptor[], files: Files, { transport, name, platform }: LayoutRequest): readonly Descriptor[] {
  const label = `${transport}:${files.path}`;
  if (entries.length === 0) throw new EngineError('IMAGE_CORRUPT', `${label}: no image in ${INDEX}`);
  if (name !== undefined) {
    const named = entries.filter((entry) => entry.annotations?.[REF_NAME] === name || nameOf(entry) === name);
    if (named.length === 0) throw new EngineError('NO_SUCH_IMAGE', `no descriptor found for reference ${JSON.stringify(name)}`);
    return [named.length === 1 ? named[0]! : (selectPlatform(named, platform) ?? noneFor(platform, label))];
  }
  if (entries.length === 1) return entries;
  const named = entries.filter((entry) => nameOf(entry) !== undefined);
  return named.length > 0 ? named : [selectPlatform(entries, platform) ?? noneFor(platform, label)];
}

function nameOf(entry: Descriptor): string | undefined {
  return entry.annotations?.[CONTAINERD_NAME] ?? entry.annotations?.[REF_NAME];
}

function blobName(digest: Digest): string {
  return `blobs/sha256/${digestHex(digest)}`;
}

function noneFor(platform: Platform, label: string): never {
  const { architecture, variant = '', os } = platform;
  throw new EngineError(
    'PLATFORM_MISMATCH',
    `choosing an image from manifest list ${label}: no image found in image index for architecture ${JSON.stringify(architecture)}, variant ${JSON.stringify(variant)}, OS ${JSON.stringify(os)}`,
    { hint: `The image is not made for ${formatPlatform(platform)}.` },
  );
}
