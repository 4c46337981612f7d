/** A repository of a registry as an ImageDestination. */
import type { Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import { formatReference, repositoryOf, type Reference } from '../reference.ts';
import type { BlobHint, DestinationTraits, ImageDestination, OutgoingBlob, WrittenBlob } from '../transport/destination.ts';
import type { ManifestDocument } from '../transport/source.ts';
import { Registry, type RegistryOptions } from './registry.ts';
import { blobSize, mountBlob, uploadBlob, uploadManifest, type UploadPlace } from './upload.ts';

/** `reference` has a tag, or a digest that the manifest must have. Nothing is asked of the registry yet. */
export function openRegistryDestination(reference: Reference, options: RegistryOptions): ImageDestination {
  return new RegistryDestination(reference, options);
}

class RegistryDestination implements ImageDestination {
  readonly label: string;
  readonly traits: DestinationTraits = { layers: 'gzip', sideBySide: true };
  readonly #registry: Registry;
  readonly #reference: Reference;
  readonly #place: UploadPlace;

  constructor(reference: Reference, options: RegistryOptions) {
    this.#registry = new Registry(reference.domain, options);
    this.#reference = reference;
    this.#place = { registry: this.#registry, path: reference.path, name: repositoryOf(reference) };
    this.label = `docker://${formatReference(reference)}`;
  }

  async hasBlob(digest: Digest, hint: BlobHint = {}, signal?: AbortSignal): Promise<number | undefined> {
    const size = await reworded(`trying to reuse blob ${digest} at destination`, () => blobSize(this.#place, digest, signal));
    if (size !== undefined) return size;
    for (const path of this.#neighbours(hint)) {
      if (!(await this.#mount(digest, path, signal))) continue;
      return reworded(`trying to reuse blob ${digest} at destination`, () => blobSize(this.#place, digest, signal));
    }
    return undefined;
  }

  putBlob(blob: OutgoingBlob, signal?: AbortSignal): Promise<WrittenBlob> {
    return reworded('writing blob', () => uploadBlob(this.#place, blob, signal));
  }

  async putManifest(document: ManifestDocument, at: 'name' | 'digest' = 'name', signal?: AbortSignal): Promise<void> {
    const { tag = 'latest', digest } = this.#reference;
    if (at === 'name' && digest !== undefined && digest !== document.digest) {
      throw new EngineError('INVALID_ARGUMENT', "Digest of source image's manifest would not match destination reference");
    }
    const name = at === 'digest' || digest !== undefined ? document.digest : tag;
    await reworded('writing manifest', () => uploadManifest(this.#place, document, name, signal));
  }

  /** The manifest made it visible. */
  async finish(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.#registry[Symbol.dispose]();
  }

  /** Paths of other repositories of this registry. */
  #neighbours({ repositories = [] }: BlobHint): readonly string[] {
    const { domain, path } = this.#reference;
    const paths = repositories.filter((name) => name.startsWith(`${domain}/`)).map((name) => name.slice(domain.length + 1));
    return [...new Set(paths)].filter((other) => other !== path).slice(0, NEIGHBOURS_LIMIT);
  }

  /** A neighbour that may not be read is no reason to fail: the bytes are here, too. */
  async #mount(digest: Digest, from: string, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      return await mountBlob(this.#place, digest, from, signal);
    } catch (error) {
      if (!isEngineError(error, 'REGISTRY_ERROR', 'REGISTRY_UNAUTHORIZED', 'MANIFEST_UNKNOWN')) throw error;
      log.debug(() => `mounting ${digest} from ${from}: ${error.message}`);
      return false;
    }
  }
}

/** Each costs a round trip. */
const NEIGHBOURS_LIMIT = 3;

async function reworded<T>(prefix: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof EngineError) || error.code === 'ABORTED' || error.code === 'STORE_CORRUPT') throw error;
    const { code, message, hint, cause } = error;
    throw new EngineError(code, `${prefix}: ${message}`, { cause, ...(hint === undefined ? {} : { hint }) });
  }
}
