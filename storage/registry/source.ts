/** An image in a registry as an ImageSource. */
import { EngineError } from '../../core/errors.ts';
import type { Descriptor, Platform } from '../image.ts';
import { INDEX_TYPES, parseDocument, type ImageIndex } from '../manifest.ts';
import { selectPlatform } from '../platform.ts';
import { formatReference, repositoryOf, type Reference } from '../reference.ts';
import type { ImageSource, ManifestDocument } from '../transport/source.ts';
import { verifyBytes } from '../verify.ts';
import type { RegistryOptions } from './registry.ts';
import { Repository } from './repository.ts';

export interface RegistrySourceOptions extends RegistryOptions {
  readonly platform: Platform;
  readonly signal?: AbortSignal | undefined;
  /** The name the image is known by when it is read from a mirror. */
  readonly name?: Reference;
}

/**
 * Ask the registry and read the manifest for the platform; blobs follow when asked for.
 * The digest of a tag is pinned by that first answer. `reference` has a tag or a digest; the digest counts.
 * Throws `initializing source docker://…: …` as MANIFEST_UNKNOWN, REGISTRY_*, IMAGE_CORRUPT, PLATFORM_MISMATCH.
 */
export async function openRegistrySource(reference: Reference, options: RegistrySourceOptions): Promise<ImageSource> {
  const repository = new Repository(reference, options);
  const image = new RegistryImage(repository, reference, options);
  try {
    await repository.ping(options.signal);
    await image.manifest(options.signal);
    return image;
  } catch (error) {
    repository[Symbol.dispose]();
    throw initialising(image.label, error);
  }
}

class RegistryImage implements ImageSource {
  readonly label: string;
  readonly origin: ImageSource['origin'];
  readonly names: readonly string[];
  readonly #repository: Repository;
  readonly #reference: Reference;
  readonly #options: RegistrySourceOptions;
  #manifest: Promise<ManifestDocument> | undefined;

  constructor(repository: Repository, reference: Reference, options: RegistrySourceOptions) {
    const name = options.name ?? reference;
    this.#repository = repository;
    this.#reference = reference;
    this.#options = options;
    this.label = `docker://${formatReference(reference)}`;
    this.origin = { transport: 'docker', name: formatReference(name) };
    this.names = [name.digest === undefined ? formatReference(name) : `${repositoryOf(name)}@${name.digest}`];
  }

  manifest(signal?: AbortSignal): Promise<ManifestDocument> {
    return (this.#manifest ??= this.#choose(signal));
  }

  blob(descriptor: Descriptor, signal?: AbortSignal): ReturnType<Repository['blob']> {
    return this.#repository.blob(descriptor, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#repository[Symbol.dispose]();
  }

  async #choose(signal: AbortSignal | undefined): Promise<ManifestDocument> {
    const { digest, tag } = this.#reference;
    const first = await this.#repository.manifest(digest ?? tag ?? 'latest', digest, signal);
    const document = parseDocument(first.bytes, first.contentType, `manifest of ${this.label}`);
    if (document.kind === 'manifest') return { bytes: first.bytes, mediaType: document.manifest.mediaType, digest: first.digest };
    const entry =
      selectPlatform(document.index.manifests, this.#options.platform) ?? noneFor(this.#options.platform, document.index, this.label);
    const chosen = await this.#repository.manifest(entry.digest, entry.digest, signal);
    const what = `manifest ${entry.digest} of ${this.label}`;
    verifyBytes(chosen.bytes, entry, what);
    const inner = parseDocument(chosen.bytes, chosen.contentType ?? entry.mediaType, what);
    if (inner.kind === 'index') throw new EngineError('IMAGE_CORRUPT', `${what}: an index in an index`);
    return { bytes: chosen.bytes, mediaType: inner.manifest.mediaType, digest: chosen.digest, indexDigest: first.digest };
  }
}

function noneFor({ architecture, variant = '', os }: Platform, index: ImageIndex, label: string): never {
  const there = index.manifests
    .map(({ platform }) => (platform === undefined ? '' : `${platform.os}/${platform.architecture}`))
    .filter((text) => text !== '' && text !== 'unknown/unknown');
  const kind = index.mediaType === INDEX_TYPES[0] ? 'image index' : 'manifest list';
  throw new EngineError(
    'PLATFORM_MISMATCH',
    `choosing an image from manifest list ${label}: no image found in ${kind} for architecture ${JSON.stringify(architecture)}, variant ${JSON.stringify(variant)}, OS ${JSON.stringify(os)}`,
    there.length === 0 ? {} : { hint: `There is: ${[...new Set(there)].slice(0, 12).join(', ')}.` },
  );
}

/** Podman's outer layers: it is part of every message about a registry. */
function initialising(label: string, error: unknown): unknown {
  if (!(error instanceof EngineError) || error.code === 'ABORTED') return error;
  const { code, message, hint, cause } = error;
  // Choosing from an index is worded by another layer there.
  if (code === 'PLATFORM_MISMATCH') return error;
  return new EngineError(code, `initializing source ${label}: ${message}`, { cause, ...(hint === undefined ? {} : { hint }) });
}
