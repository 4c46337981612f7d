/** One step from a repository into the store, and one from the store into a repository. */
import type { CachedStep } from '../../build/machine.ts';
import type { StageState } from '../../build/state.ts';
import { stepDocuments, stepOf, type DoneStep, type WantedStep } from '../../build/step-repositories.ts';
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { asId, type ImageId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import { compressionOf } from '../../storage/convert.ts';
import type { Descriptor } from '../../storage/image.ts';
import { DOCUMENT_LIMIT_BYTES, parseConfig, parseManifest } from '../../storage/manifest.ts';
import { enforcePolicy, loadPolicy } from '../../storage/policy.ts';
import { repositoryOf } from '../../storage/reference.ts';
import { withRetries } from '../../storage/registry/retry.ts';
import { openRemote, type RemoteManifest } from '../../storage/remote.ts';
import { sendImage, type KnownBlob, type OutgoingImage } from '../../storage/send.ts';
import type { ImageDestination } from '../../storage/transport/destination.ts';
import { collectBytes, verifyBytes } from '../../storage/verify.ts';
import type { Engine } from '../engine.ts';
import { openAccess } from '../image/access.ts';
import { imageBlobs } from '../image/blobs.ts';
import { openDestination } from '../image/destination.ts';
import { outgoingLayers, pulledBlobs, rememberLayers } from '../image/outgoing.ts';
import type { RegistryChoice } from '../registry/access.ts';

export interface StepTransfer {
  readonly engine: Engine;
  readonly registry: RegistryChoice;
  readonly signal: AbortSignal;
  /** Sizes of the blobs that a repository is known to have: each step has the layers of all before it. */
  readonly present: Map<string, Map<Digest, number>>;
}

/**
 * The step that `name` is, its layer in the store; undefined where it is too old.
 * Throws MANIFEST_UNKNOWN, REGISTRY_*, POLICY_REJECTED, IMAGE_CORRUPT (also where the image can be no such step), LAYER_REFUSED, STORE_FULL, ABORTED.
 */
export async function fetchStep(transfer: StepTransfer, name: string, wanted: WantedStep): Promise<CachedStep | undefined> {
  const { engine, registry, signal } = transfer;
  enforcePolicy(await loadPolicy({ config: engine.paths.config }), { transport: 'docker', name });
  using remote = await openRemote(name, await openAccess(engine, registry), signal);
  const what = `docker://${name}`;
  const manifest = parseManifest(remote.bytes, undefined, `manifest of ${what}`);
  const config = parseConfig(await configOf(remote, manifest.config, transfer, `config of ${what}`), manifest, `config of ${what}`);
  const step = stepOf(manifest, config, wanted);
  if (step === undefined) throw new EngineError('IMAGE_CORRUPT', `${what} is not what comes of this step`);
  if (step.madeMs <= wanted.afterMs) return undefined;
  if (step.layer !== undefined) await fetchLayer(remote, step.layer, manifest.layers.at(-1)!, transfer);
  return step;
}

async function configOf(
  { repository }: RemoteManifest,
  descriptor: Descriptor,
  { registry, signal }: StepTransfer,
  what: string,
): Promise<Buffer> {
  return await withRetries(
    async () => {
      const bytes = await collectBytes(await repository.blob(descriptor, signal), DOCUMENT_LIMIT_BYTES, what);
      verifyBytes(bytes, descriptor, what);
      return bytes;
    },
    { retries: registry.retries, delayMs: registry.retryDelayMs, signal },
  );
}

async function fetchLayer(
  { repository, name }: RemoteManifest,
  diffId: Digest,
  descriptor: Descriptor,
  { engine, registry, signal }: StepTransfer,
): Promise<void> {
  const { digest, size, mediaType } = descriptor;
  const layers = await engine.layers();
  const { fresh, notices } = await withRetries(
    () => layers.apply(diffId, () => repository.blob(descriptor, signal), { compressedDigest: digest, sizeBytes: size, signal }),
    { retries: registry.retries, delayMs: registry.retryDelayMs, signal },
  );
  for (const notice of notices) log.warn(notice);
  const compression = compressionOf(mediaType);
  // Of a layer that was here nobody has read that blob.
  if (fresh && compression !== undefined) rememberLayers(engine, [{ diffId, digest, size, compression }], repositoryOf(name));
}

/** Layers that are there are not sent. Throws REGISTRY_*, STORE_CORRUPT, ABORTED. */
export async function sendStep(transfer: StepTransfer, repository: string, step: DoneStep): Promise<void> {
  const { engine, registry, signal, present } = transfer;
  const there = present.get(repository) ?? new Map<Digest, number>();
  present.set(repository, there);
  const image = await stepImage(engine, step);
  await withRetries(
    async () => {
      const opened = await openDestination(engine, `${repository}:${step.key}`, registry);
      await using destination = opened.destination;
      await sendImage(image, knowing(destination, there), {
        format: 'oci',
        onLayer: (layer) => {
          there.set(layer.digest, layer.size);
          rememberLayers(engine, [layer], repository);
        },
        signal,
      });
      await destination.finish(signal);
    },
    { retries: registry.retries, delayMs: registry.retryDelayMs, signal },
  );
}

async function stepImage(engine: Engine, step: DoneStep): Promise<OutgoingImage> {
  const store = await engine.layers();
  const { layers } = step.state;
  const sizes = layers.map((diffId) => store.sizeBytes(diffId));
  const { config, manifest } = stepDocuments(step, sizes);
  return {
    manifest: parseManifest(manifest.bytes, manifest.mediaType, 'manifest of the step'),
    manifestBytes: manifest.bytes,
    config,
    layers: outgoingLayers(engine, store, layers, await blobsOfBase(engine, step.state)),
    tar: (diffId) => store.tar(diffId),
  };
}

/** The base may have been removed meanwhile. */
async function blobsOfBase(engine: Engine, { base }: StageState): Promise<ReadonlyMap<Digest, readonly KnownBlob[]>> {
  const image = base === undefined ? undefined : engine.images.byId(asId<ImageId>(base.id));
  if (image === undefined) return new Map();
  const manifest = parseManifest(await imageBlobs(engine).read(image.manifestDigest), image.manifestType, `manifest of image ${image.id}`);
  return pulledBlobs(engine, image, manifest);
}

/** The destination, not asked for what is known to be there. */
function knowing(destination: ImageDestination, there: ReadonlyMap<Digest, number>): ImageDestination {
  return {
    label: destination.label,
    traits: destination.traits,
    hasBlob: async (digest, hint, signal) => there.get(digest) ?? (await destination.hasBlob(digest, hint, signal)),
    putBlob: (blob, signal) => destination.putBlob(blob, signal),
    putManifest: (document, at, signal) => destination.putManifest(document, at, signal),
    finish: (signal) => destination.finish(signal),
    [Symbol.asyncDispose]: () => destination[Symbol.asyncDispose](),
  };
}
