/** One repository of a registry, for reading: manifests by tag or digest, blobs by descriptor. */
import { EngineError } from '../../core/errors.ts';
import type { Digest } from '../../core/digest.ts';
import type { Readable } from 'node:stream';
import type { Descriptor } from '../image.ts';
import { DOCUMENT_LIMIT_BYTES, INDEX_TYPES, MANIFEST_TYPES } from '../manifest.ts';
import { repositoryOf, type Reference } from '../reference.ts';
import { digestOf } from '../verify.ts';
import { openBlob } from './blob.ts';
import { registryFailure } from './failure.ts';
import { readBody, type HttpResponse } from './http.ts';
import { Registry, type RegistryOptions } from './registry.ts';

const ACCEPT = [...MANIFEST_TYPES, ...INDEX_TYPES].join(', ');

/** A manifest or index as the registry gave it. */
export interface FetchedManifest {
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly contentType: string | undefined;
}

/** Owns its connections. */
export class Repository implements Disposable {
  readonly #registry: Registry;
  readonly #path: string;
  readonly #name: string;
  readonly #options: RegistryOptions;

  constructor(reference: Reference, options: RegistryOptions) {
    this.#registry = new Registry(reference.domain, options);
    this.#path = reference.path;
    this.#name = repositoryOf(reference);
    this.#options = options;
  }

  /** Throws REGISTRY_UNREACHABLE, REGISTRY_ERROR. */
  ping(signal?: AbortSignal): Promise<void> {
    return this.#registry.ping(signal);
  }

  /** `id` is a tag or digest; the bytes are those of `expected`, where given. Throws MANIFEST_UNKNOWN, REGISTRY_*, IMAGE_CORRUPT. */
  async manifest(id: string, expected: Digest | undefined, signal?: AbortSignal): Promise<FetchedManifest> {
    const action = `reading manifest ${id} in ${this.#name}`;
    const response = await this.#get(`manifests/${id}`, { accept: ACCEPT }, signal);
    if (response.status !== 200) throw await registryFailure(response, action);
    const bytes = await readBody(response, DOCUMENT_LIMIT_BYTES);
    const digest = digestOf(bytes);
    const claimed = response.headers['docker-content-digest'];
    for (const wanted of [expected, claimed?.startsWith('sha256:') ? claimed : undefined]) {
      if (wanted !== undefined && wanted !== digest) {
        throw new EngineError('IMAGE_CORRUPT', `${action}: manifest is ${digest}, not ${wanted.slice(0, 80)}`);
      }
    }
    return { bytes, digest, contentType: response.headers['content-type']?.split(';')[0]!.trim() };
  }

  /** The blob's bytes, not checked against its digest. */
  blob(descriptor: Descriptor, signal?: AbortSignal): Promise<Readable> {
    const { timeoutMs, pauseMs } = this.#options;
    return openBlob({
      descriptor,
      repository: this.#name,
      fetch: (headers) => this.#get(`blobs/${descriptor.digest}`, headers, signal),
      fail: (response) => registryFailure(response, `reading blob ${descriptor.digest}`),
      signal,
      ...(timeoutMs === undefined ? {} : { stallMs: timeoutMs }),
      ...(pauseMs === undefined ? {} : { pauseMs: pauseMs / 2 }),
    });
  }

  [Symbol.dispose](): void {
    this.#registry[Symbol.dispose]();
  }

  #get(what: string, headers: Readonly<Record<string, string>>, signal: AbortSignal | undefined): Promise<HttpResponse> {
    const path = this.#path;
    return this.#registry.send({ path: `/v2/${path}/${what}`, headers, repository: { path, actions: 'pull' }, signal });
  }
}
