/** `pull` of a registry image: which names to try, where, how often; then the copy. */
import { EngineError, isEngineError } from '../core/errors.ts';
import { log } from '../core/log.ts';
import { storeImage, type StoredImage, type StoreImageOptions } from './copy.ts';
import type { Platform } from './image.ts';
import { formatReference, type Reference } from './reference.ts';
import { endpointsOf, type Endpoint, type RegistriesConf } from './registries.ts';
import { resolveForPull } from './shortnames.ts';
import { storedOnly } from './registry/credentials.ts';
import type { RegistryOptions } from './registry/registry.ts';
import { withRetries } from './registry/retry.ts';
import { openRegistrySource } from './registry/source.ts';

export interface PullRequest extends StoreImageOptions, RegistryOptions {
  /** As typed; `docker://` in front is fine. */
  readonly image: string;
  readonly platform: Platform;
  readonly registries: RegistriesConf;
  readonly retries?: number | undefined;
  readonly retryDelayMs?: number | undefined;
}

/**
 * Try the candidates of a short name in order, and for each its mirrors; the last error is thrown when none works.
 * Throws what storeImage throws, INVALID_REFERENCE, SHORT_NAME_UNRESOLVED, and `unable to copy from source docker://…` as REGISTRY_*, MANIFEST_UNKNOWN.
 */
export async function pullImage(request: PullRequest): Promise<StoredImage> {
  const { onEvent } = request;
  const { candidates, notice } = resolveForPull(request.image.replace(/^docker:\/\//, ''), request.registries);
  if (notice !== undefined) onEvent?.({ kind: 'notice', text: notice });
  const failures: unknown[] = [];
  for (const reference of candidates) {
    onEvent?.({ kind: 'trying', reference: formatReference(reference) });
    try {
      return await pullReference(reference, request);
    } catch (error) {
      if (isFinal(error)) throw error;
      failures.push(error);
    }
  }
  throw combined(failures, request.image);
}

async function pullReference(reference: Reference, request: PullRequest): Promise<StoredImage> {
  let failure: unknown;
  for (const endpoint of endpointsOf(request.registries, reference)) {
    try {
      return await pullEndpoint(endpoint, reference, request);
    } catch (error) {
      if (isFinal(error)) throw error;
      if (endpoint.mirror) log.info(`mirror ${formatReference(endpoint.reference)}: ${(error as Error).message}`);
      failure = error;
    }
  }
  throw copying(formatReference(reference), failure);
}

function pullEndpoint({ reference, insecure, mirror }: Endpoint, name: Reference, request: PullRequest): Promise<StoredImage> {
  const { signal, onEvent } = request;
  const credentials = mirror ? storedOnly(request.credentials) : request.credentials;
  const tlsVerify = request.tlsVerify ?? (insecure ? false : undefined);
  return withRetries(
    async () => {
      await using source = await openRegistrySource(reference, { ...request, credentials, tlsVerify, name });
      // Not without await: the source would be closed under the copy.
      return await storeImage(source, request);
    },
    {
      // The next place is a better answer to a mirror that is down than waiting for it.
      retries: mirror ? 0 : request.retries,
      delayMs: request.retryDelayMs,
      signal,
      onEvent,
    },
  );
}

/** Errors that another registry would not mend: about the image, the store, or the wish. */
function isFinal(error: unknown): boolean {
  return !isEngineError(error, 'REGISTRY_UNREACHABLE', 'REGISTRY_UNAUTHORIZED', 'REGISTRY_ERROR', 'MANIFEST_UNKNOWN');
}

function copying(name: string, error: unknown): unknown {
  if (!(error instanceof EngineError)) return error;
  return rephrased(error, `unable to copy from source docker://${name}: ${error.message}`);
}

function combined(failures: readonly unknown[], image: string): unknown {
  const [only] = failures;
  if (failures.length === 1 || !(only instanceof EngineError)) return only;
  const lines = failures.map((error) => ` * ${(error as Error).message}`);
  return rephrased(only, `${failures.length} errors occurred while pulling ${JSON.stringify(image)}:\n${lines.join('\n')}`);
}

function rephrased({ code, hint, cause }: EngineError, message: string): EngineError {
  return new EngineError(code, message, { cause, ...(hint === undefined ? {} : { hint }) });
}
