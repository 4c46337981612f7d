/** `manifest push`: what a list lists, one after the other, then the index that names them as they came to be there. */
import { createReadStream } from 'node:fs';
import { digestHex, type Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { asId, type ImageId } from '../../core/id.ts';
import type { Descriptor } from '../../storage/image.ts';
import { formatIndex } from '../../storage/list/format.ts';
import { isImageManifest, MEDIA, parseAnyDocument, type ImageIndex } from '../../storage/manifest.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { parseReference, repositoryOf } from '../../storage/reference.ts';
import { withRetries } from '../../storage/registry/retry.ts';
import { relay } from '../../storage/relay.ts';
import { openRemote } from '../../storage/remote.ts';
import { sendImage } from '../../storage/send.ts';
import type { CompressionChoice, LayerCompression } from '../../storage/transport/compress.ts';
import type { ImageDestination, ManifestFormat } from '../../storage/transport/destination.ts';
import type { ManifestDocument } from '../../storage/transport/source.ts';
import { digestOf, verifyBytes } from '../../storage/verify.ts';
import type { Engine } from '../engine.ts';
import { openAccess } from '../image/access.ts';
import { imageBlobs } from '../image/blobs.ts';
import { openDestination, type OpenedDestination } from '../image/destination.ts';
import { outgoingImage, rememberLayers } from '../image/outgoing.ts';
import type { RegistryChoice } from '../registry/access.ts';
import type { ImageRecord } from '../state/images.ts';
import type { ListInstance } from '../state/lists.ts';
import { findList, readIndex } from './find.ts';
import { entryOf, isMarkedZstd, planSendings, type Sending } from './variants.ts';

export interface PushListOptions extends RegistryChoice {
  /** What is listed as well as the index; else it must be there already. */
  readonly all: boolean;
  /** Of the index and the images; absent: as they are. */
  readonly format?: ManifestFormat | undefined;
  readonly compression?: CompressionChoice | undefined;
  readonly forceCompression: boolean;
  /** Each image also in these compressions, where no image of its platform has them. */
  readonly addCompression?: readonly LayerCompression[] | undefined;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * To the list's own name where `destination` is absent. Resolves with the digest of the index at the destination.
 * Throws NO_SUCH_IMAGE, INVALID_ARGUMENT, INVALID_REFERENCE, NOT_SUPPORTED (places of one image), REGISTRY_*, STORE_*, ABORTED.
 */
export async function pushList(engine: Engine, name: string, destination: string | undefined, options: PushListOptions): Promise<Digest> {
  const list = await findList(engine, name).catch((error: unknown) => {
    if (!isEngineError(error, 'NO_SUCH_IMAGE', 'INVALID_ARGUMENT')) throw error;
    throw new EngineError(error.code, `retrieving local image from image name ${name}: ${error.message}`, { cause: error });
  });
  const to = destination ?? list.names[0] ?? name;
  if (to.startsWith('docker-archive:')) {
    throw new EngineError(
      'NOT_SUPPORTED',
      'copying multiple images: destination transport "docker-archive" does not support copying multiple images as a group',
    );
  }
  checkAdded(options);
  const digest = await withRetries(() => attempt(engine, list, to, options), {
    retries: options.retries,
    delayMs: options.retryDelayMs,
    signal: options.signal,
    onEvent: options.onEvent,
  });
  engine.events.offer({ type: 'image', status: 'push', id: list.id, name: to });
  return digest;
}

async function attempt(engine: Engine, list: ImageRecord, to: string, options: PushListOptions): Promise<Digest> {
  const { onEvent, signal } = options;
  const say = (text: string): void => onEvent?.({ kind: 'notice', text });
  const index = await readIndex(engine, list);
  const instances = new Map(engine.lists.instances(list.id).map((instance) => [instance.digest, instance]));
  const opened = await openDestination(engine, to, options);
  await using destination = opened.destination;
  const sendings = options.all ? plan(index, instances, opened, options) : [];
  say('Getting image list signatures');
  say(`Copying ${sendings.length} images generated from ${index.manifests.length} images in list`);
  const sent: Sent[] = [];
  for (const [place, sending] of sendings.entries()) {
    const { digest } = sending.entry;
    say(`${sending.added === undefined ? 'Copying' : 'Replicating'} image ${digest} (${place + 1}/${sendings.length})`);
    onEvent?.({ kind: 'signatures' });
    const entrance = { ...opened, destination: asEntry(destination) };
    sent.push({ ...sending, document: await sendInstance(engine, list, instances.get(digest)!, entrance, asSending(sending, options)) });
  }
  say('Writing manifest list to image destination');
  const there = indexThere(index, sent, options.format);
  const bytes = formatIndex(there);
  const document = { bytes, mediaType: there.mediaType, digest: digestOf(bytes) };
  if (opened.digest !== undefined && opened.digest !== document.digest) {
    throw new EngineError('INVALID_ARGUMENT', "Digest of source image's manifest would not match destination reference");
  }
  await destination.putManifest(document, 'name', signal);
  await destination.finish(signal);
  say('Storing list signatures');
  return document.digest;
}

interface Sent extends Sending {
  readonly document: ManifestDocument;
}

function checkAdded({ addCompression = [], all, format }: PushListOptions): void {
  if (addCompression.length === 0) return;
  if (!all) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      'preparing instances for copy: EnsureCompressionVariantsExist is not implemented for CopySpecificImages',
      { hint: 'Leave out --all=false: copies are made of the images that are pushed.' },
    );
  }
  if (format === 'v2s2' && addCompression.includes('zstd')) {
    throw new EngineError('NOT_SUPPORTED', 'compression using zstd is not supported by the v2s2 manifest format', {
      hint: 'Use --format oci.',
    });
  }
}

/** A place of plain layers has one form of each image. */
function plan(
  { manifests }: ImageIndex,
  instances: ReadonlyMap<Digest, ListInstance>,
  { compresses }: OpenedDestination,
  { addCompression = [], compression }: PushListOptions,
): readonly Sending[] {
  return planSendings(manifests, compresses ? addCompression : [], (entry) => {
    const { source, files } = instances.get(entry.digest)!;
    if (files.length > 0 || entry.artifactType !== undefined) return undefined;
    if (source !== undefined) return isMarkedZstd(entry) ? 'zstd' : 'gzip';
    return compression?.compression ?? 'gzip';
  });
}

/** Beside copies, the image itself must be what the copies are not: no other compression that is there already will do. */
function asSending({ added }: Sending, options: PushListOptions): InstanceOptions {
  if (added !== undefined) return { ...options, compression: { compression: added }, forceCompression: true, recompress: true };
  return (options.addCompression ?? []).length > 0 ? { ...options, forceCompression: true } : options;
}

interface InstanceOptions extends PushListOptions {
  /** What comes from another registry, too; else it stays as it is there. */
  readonly recompress?: boolean;
}

/** What is listed goes under its digest: the name is that of the index. */
function asEntry(destination: ImageDestination): ImageDestination {
  return {
    label: destination.label,
    traits: destination.traits,
    hasBlob: (...args) => destination.hasBlob(...args),
    putBlob: (...args) => destination.putBlob(...args),
    putManifest: (document, _at, signal) => destination.putManifest(document, 'digest', signal),
    finish: async () => undefined,
    [Symbol.asyncDispose]: async () => undefined,
  };
}

async function sendInstance(
  engine: Engine,
  list: ImageRecord,
  instance: ListInstance,
  opened: OpenedDestination,
  options: InstanceOptions,
): Promise<ManifestDocument> {
  if (instance.source !== undefined) return relayRemote(engine, instance.source, opened.destination, options);
  const blobs = imageBlobs(engine);
  const what = `manifest ${instance.digest} of list ${list.id}`;
  const bytes = await blobs.read(instance.digest);
  const document = parseAnyDocument(bytes, undefined, what);
  if (document.kind === 'index') throw new EngineError('STORE_CORRUPT', `${what}: is an index`);
  const { manifest } = document;
  if (instance.files.length > 0 || !isImageManifest(manifest)) {
    const open = async ({ digest }: Descriptor) => createReadStream(blobs.path(digest), { highWaterMark: 2 ** 20 });
    const { format, onEvent, signal } = options;
    return relay({ manifest, bytes, digest: instance.digest, open }, opened.destination, { format, onEvent, signal });
  }
  // The image may have been removed; its parts are kept for the list.
  const id = asId<ImageId>(digestHex(manifest.config.digest));
  const image = { ...list, id, manifestDigest: instance.digest, manifestType: manifest.mediaType, layers: instance.layers };
  const { repository } = opened;
  const sent = await sendImage(await outgoingImage(engine, image), opened.destination, {
    format: options.format,
    compression: opened.compresses ? (options.compression ?? { compression: 'gzip' }) : undefined,
    forceCompression: options.forceCompression,
    onLayer: (layer) => repository !== undefined && rememberLayers(engine, [layer], repository),
    onEvent: options.onEvent,
    signal: options.signal,
  });
  return sent.manifest;
}

/** From registry to registry, through here only where the one cannot take it from the other. */
async function relayRemote(
  engine: Engine,
  source: string,
  destination: ImageDestination,
  options: InstanceOptions,
): Promise<ManifestDocument> {
  const { format, onEvent, signal } = options;
  const { tlsVerify, authFile, certDir, retries, retryDelayMs } = options;
  using remote = await openRemote(
    source,
    await openAccess(engine, { tlsVerify, authFile, certDir, retries, retryDelayMs }),
    options.signal,
  );
  const { document, bytes, digest, repository } = remote;
  if (document.kind === 'index') throw new EngineError('IMAGE_CORRUPT', `docker://${source}: an index in an index`);
  verifyBytes(bytes, { digest: parseReference(source).digest!, size: bytes.length }, `manifest of docker://${source}`);
  return await relay(
    {
      manifest: document.manifest,
      bytes,
      digest,
      open: (descriptor) => repository.blob(descriptor, options.signal),
      repositories: [repositoryOf(remote.name)],
    },
    destination,
    { format, onEvent, signal, compression: options.recompress === true ? options.compression : undefined },
  );
}

function indexThere(index: ImageIndex, sent: readonly Sent[], format: ManifestFormat | undefined): ImageIndex {
  const itself = new Map(sent.filter(({ added }) => added === undefined).map(({ entry, document }) => [entry.digest, document]));
  const originals = index.manifests.map((entry) => {
    const document = itself.get(entry.digest);
    return document === undefined ? entry : entryOf(entry, document);
  });
  const digests = new Set(originals.map(({ digest }) => digest));
  const copies = sent
    .filter(({ added, document }) => added !== undefined && !digests.has(document.digest))
    .map(({ entry, document }) => entryOf(entry, document));
  const all = [...originals, ...copies];
  // Engines that know nothing of zstd take the first entry of their platform.
  const manifests = copies.length === 0 ? all : [...all.filter((entry) => !isMarkedZstd(entry)), ...all.filter(isMarkedZstd)];
  return { ...index, mediaType: typeFor(index, manifests, format), manifests };
}

/** Docker's lists have no word for the mark: unasked, the index becomes an OCI one. */
function typeFor({ mediaType }: ImageIndex, manifests: readonly Descriptor[], format: ManifestFormat | undefined): string {
  if (format === 'oci' || (format === undefined && manifests.some(isMarkedZstd))) return MEDIA.ociIndex;
  return format === 'v2s2' ? MEDIA.dockerIndex : mediaType;
}
