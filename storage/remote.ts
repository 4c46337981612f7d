/** A manifest or index in a registry, by a name as typed: short names, mirrors and retries as for `pull`; nothing of it is stored. */
import { isEngineError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import type { Digest } from '../core/digest.ts';
import { parseAnyDocument, type Document } from './manifest.ts';
import { formatReference, type Reference } from './reference.ts';
import { endpointsOf, type Endpoint, type RegistriesConf } from './registries.ts';
import type { RegistryOptions } from './registry/registry.ts';
import { Repository } from './registry/repository.ts';
import { withRetries } from './registry/retry.ts';
import { resolveForPull } from './shortnames.ts';

/** What it takes to talk to registries: the user's configuration with a command's flags over it. */
export interface RegistryAccess extends RegistryOptions {
  readonly registries: RegistriesConf;
  readonly retries?: number | undefined;
  readonly retryDelayMs?: number | undefined;
}

/** Disposing it closes the connections to the repository. */
export interface RemoteManifest extends Disposable {
  /** The full name; the manifest may come from a mirror of it. */
  readonly name: Reference;
  readonly repository: Repository;
  readonly bytes: Buffer;
  readonly digest: Digest;
  readonly document: Document;
}

/**
 * Read what the name means; `docker://` in front is fine. The first of several candidates that has it counts.
 * Throws INVALID_REFERENCE, SHORT_NAME_UNRESOLVED, MANIFEST_UNKNOWN, REGISTRY_*, IMAGE_CORRUPT.
 */
export async function openRemote(text: string, access: RegistryAccess, signal?: AbortSignal): Promise<RemoteManifest> {
  const { candidates } = resolveForPull(text.replace(/^docker:\/\//, ''), access.registries);
  let failure: unknown;
  for (const name of candidates) {
    for (const endpoint of endpointsOf(access.registries, name)) {
      try {
        return await openEndpoint(endpoint, name, access, signal);
      } catch (error) {
        if (!isEngineError(error, 'REGISTRY_UNREACHABLE', 'REGISTRY_UNAUTHORIZED', 'REGISTRY_ERROR', 'MANIFEST_UNKNOWN')) throw error;
        log.debug(() => `${formatReference(endpoint.reference)}: ${error.message}`);
        failure = error;
      }
    }
  }
  throw failure;
}

function openEndpoint(
  { reference, insecure, mirror }: Endpoint,
  name: Reference,
  access: RegistryAccess,
  signal: AbortSignal | undefined,
): Promise<RemoteManifest> {
  const tlsVerify = access.tlsVerify ?? (insecure ? false : undefined);
  return withRetries(() => read(reference, name, { ...access, tlsVerify }, signal), {
    retries: mirror ? 0 : access.retries,
    delayMs: access.retryDelayMs,
    signal,
  });
}

async function read(
  reference: Reference,
  name: Reference,
  options: RegistryOptions,
  signal: AbortSignal | undefined,
): Promise<RemoteManifest> {
  const repository = new Repository(reference, options);
  try {
    await repository.ping(signal);
    const { bytes, digest, contentType } = await repository.manifest(
      reference.digest ?? reference.tag ?? 'latest',
      reference.digest,
      signal,
    );
    const document = parseAnyDocument(bytes, contentType, `manifest of docker://${formatReference(reference)}`);
    return { name, repository, bytes, digest, document, [Symbol.dispose]: () => repository[Symbol.dispose]() };
  } catch (error) {
    repository[Symbol.dispose]();
    throw error;
  }
}
