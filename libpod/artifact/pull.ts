/** `artifact pull`: whatever a manifest in a registry lists, kept as it is. */
import { mapConcurrent } from '../../core/concurrent.ts';
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { lockFile } from '../../host/flock.ts';
import type { Descriptor } from '../../storage/image.ts';
import { hostPlatform, selectPlatform } from '../../storage/platform.ts';
import { enforcePolicy, loadPolicy } from '../../storage/policy.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { formatReference } from '../../storage/reference.ts';
import { openRemote, type RemoteManifest } from '../../storage/remote.ts';
import { resolveForPull } from '../../storage/shortnames.ts';
import { verifyBytes } from '../../storage/verify.ts';
import type { Engine } from '../engine.ts';
import { openAccess } from '../image/access.ts';
import { imageBlobs } from '../image/blobs.ts';
import { incomingLock } from '../image/garbage.ts';
import type { RegistryChoice } from '../registry/access.ts';
import { artifactManifest, artifactRecord } from './manifest.ts';
import { putArtifact } from './rows.ts';

export interface PullArtifactOptions extends RegistryChoice {
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

const AT_ONCE = 4;
const ATTEMPTS = 5;

/**
 * Kept under the name as typed. Blobs that are here are not fetched. Resolves with the digest of the manifest.
 * Throws INVALID_REFERENCE, SHORT_NAME_UNRESOLVED, REGISTRY_*, MANIFEST_UNKNOWN, IMAGE_CORRUPT, POLICY_REJECTED, PLATFORM_MISMATCH (of an index), LOCKED.
 */
export async function pullArtifact(engine: Engine, text: string, options: PullArtifactOptions): Promise<Digest> {
  const name = text.replace(/^docker:\/\//, '');
  const access = await openAccess(engine, options);
  const full = formatReference(resolveForPull(name, access.registries).candidates[0]!);
  enforcePolicy(await loadPolicy({ config: engine.paths.config, file: undefined }), { transport: 'docker', name: full });
  using _incoming = await lockFile(incomingLock(engine), { mode: 'shared' });
  using remote = await openRemote(name, access, options.signal).catch((error: unknown) => {
    throw initialising(error, full);
  });
  const { bytes, manifest } = await chooseManifest(remote, full, options.signal);
  options.onEvent?.({ kind: 'signatures' });
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    await mapConcurrent(manifest.layers, { limit: AT_ONCE, signal: options.signal }, (layer, signal) =>
      fetchBlob(engine, remote, layer, { ...options, signal }),
    );
    options.onEvent?.({ kind: 'config', digest: manifest.config.digest });
    await fetchBlob(engine, remote, manifest.config, { signal: options.signal });
    options.onEvent?.({ kind: 'manifest' });
    const digest = await imageBlobs(engine).put(bytes);
    if (await putArtifact(engine, artifactRecord(name, digest, manifest), 'any')) return digest;
  }
  throw new EngineError('LOCKED', `blobs of artifact ${name} were removed as fast as they came`, { hint: 'Try again.' });
}

async function chooseManifest(
  { document, bytes, repository }: RemoteManifest,
  full: string,
  signal: AbortSignal | undefined,
): Promise<{ bytes: Buffer; manifest: ReturnType<typeof artifactManifest> }> {
  if (document.kind === 'manifest') return { bytes, manifest: document.manifest };
  const { manifests } = document.index;
  const entry = selectPlatform(manifests, hostPlatform()) ?? (manifests.length === 1 ? manifests[0] : undefined);
  if (entry === undefined) {
    throw new EngineError('PLATFORM_MISMATCH', `docker://${full}: is an index, and nothing in it is for this machine`, {
      hint: 'Name what is wanted by its digest: NAME@sha256:…',
    });
  }
  const what = `manifest ${entry.digest} of docker://${full}`;
  const chosen = await repository.manifest(entry.digest, entry.digest, signal);
  verifyBytes(chosen.bytes, entry, what);
  return { bytes: chosen.bytes, manifest: artifactManifest(chosen.bytes, chosen.contentType ?? entry.mediaType, what) };
}

async function fetchBlob(
  engine: Engine,
  { repository }: RemoteManifest,
  descriptor: Descriptor,
  { onEvent, signal }: PullArtifactOptions,
): Promise<void> {
  const { digest, size } = descriptor;
  const blobs = imageBlobs(engine);
  const present = await blobs.has(digest);
  onEvent?.({ kind: 'blob', digest, total: size, present });
  if (present) return;
  const stream = await repository.blob(descriptor, signal);
  let done = 0;
  const onBytes = (length: number): void => onEvent?.({ kind: 'layer', digest, total: size, done: (done += length) });
  await blobs.keep(stream, { expected: descriptor, signal, onBytes });
}

function initialising(error: unknown, full: string): unknown {
  if (!(error instanceof EngineError) || error.code === 'ABORTED') return error;
  const { code, message, hint } = error;
  return new EngineError(code, `initializing source docker://${full}: ${message}`, {
    cause: error,
    ...(hint === undefined ? {} : { hint }),
  });
}
