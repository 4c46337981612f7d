import { createReadStream } from 'node:fs';
import type { Digest } from '../../core/digest.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { withRetries } from '../../storage/registry/retry.ts';
import { relay, type RelayedManifest } from '../../storage/relay.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { openDestination } from '../image/destination.ts';
import type { RegistryChoice } from '../registry/access.ts';
import { artifactManifest } from './manifest.ts';

export interface PushArtifactOptions extends RegistryChoice {
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** To the registry in its name. Resolves with the digest of the manifest. Throws NO_SUCH_ARTIFACT, INVALID_REFERENCE, REGISTRY_*, STORE_CORRUPT, ABORTED. */
export async function pushArtifact(engine: Engine, text: string, options: PushArtifactOptions): Promise<Digest> {
  const { name, digest } = engine.artifacts.find(text);
  const blobs = imageBlobs(engine);
  const bytes = await blobs.read(digest);
  const source: RelayedManifest = {
    manifest: artifactManifest(bytes, undefined, `manifest of artifact ${name}`),
    bytes,
    digest,
    open: async (descriptor) => createReadStream(blobs.path(descriptor.digest), { highWaterMark: 2 ** 20 }),
  };
  return withRetries(
    async () => {
      const opened = await openDestination(engine, `docker://${name}`, options);
      await using destination = opened.destination;
      options.onEvent?.({ kind: 'signatures' });
      await relay(source, destination, options);
      await destination.finish(options.signal);
      return digest;
    },
    {
      retries: options.retries,
      delayMs: options.retryDelayMs,
      signal: options.signal,
      onEvent: options.onEvent,
    },
  );
}
