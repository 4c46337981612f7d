/** `save`: images into an archive or a directory, whole or not at all. */
import type { Writable } from 'node:stream';
import { EngineError } from '../../core/errors.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { formatReference, parseLocalReference, parseReference, type Reference } from '../../storage/reference.ts';
import { sendImage } from '../../storage/send.ts';
import type { ImageDestination } from '../../storage/transport/destination.ts';
import type { FileOutputOptions, Output } from '../../storage/transport/output.ts';
import type { Engine } from '../engine.ts';
import type { ImageRecord } from '../state/images.ts';
import { stagingDirectory } from './blobs.ts';
import { findImage, type FoundImage } from './find.ts';
import { outgoingImage } from './outgoing.ts';

export const SAVE_FORMATS = ['oci-dir', 'oci-archive', 'docker-dir', 'docker-archive'] as const;
export type SaveFormat = (typeof SAVE_FORMATS)[number];

export interface SaveRequest {
  readonly format: SaveFormat;
  /** Several only for docker-archive. */
  readonly images: readonly string[];
  /** More names for the one image. */
  readonly tags: readonly string[];
  /** A path, or where the archive's bytes go. */
  readonly output: string | Writable;
  /** Layers of a docker-dir with gzip. */
  readonly compress: boolean;
  /** Layers of OCI images as plain tars. */
  readonly uncompressed: boolean;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Throws NO_SUCH_IMAGE, INVALID_ARGUMENT, INVALID_REFERENCE (tags), ARCHIVE_UNSUPPORTED (the place), STORE_*, ABORTED. */
export async function saveImages(engine: Engine, request: SaveRequest): Promise<void> {
  const { format, images, tags } = request;
  if (images.length > 1 && format !== 'docker-archive') {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `unsupported format ${JSON.stringify(format)} for saving multiple images (only docker-archive)`,
    );
  }
  const found: FoundImage[] = [];
  for (const text of images) found.push(await findImage(engine, text));
  const names = tags.map(parseLocalReference);
  if (format === 'docker-archive') await saveArchive(engine, found, names, request);
  else await saveSingle(engine, found[0]!, request);
  for (const { image, name } of found) engine.events.offer({ type: 'image', status: 'save', id: image.id, name: name ?? image.id });
}

async function saveArchive(engine: Engine, found: readonly FoundImage[], tags: readonly Reference[], request: SaveRequest): Promise<void> {
  const { DockerArchiveWriter, NO_MODIFYING } = await import('../../storage/transport/docker-archive-writer.ts');
  const output = await openOutput(request.output, NO_MODIFYING);
  await using archive = new DockerArchiveWriter(output, 'docker-archive');
  for (const { image, names } of grouped(found, tags)) {
    await send(engine, image, archive.image(names), request);
  }
  await archive.finish();
}

/** An image asked for under several names is one image with these names. */
function grouped(found: readonly FoundImage[], tags: readonly Reference[]): readonly { image: ImageRecord; names: readonly Reference[] }[] {
  const byId = new Map<string, { image: ImageRecord; names: Reference[] }>();
  for (const { image, name } of found) {
    const entry = byId.get(image.id) ?? { image, names: [...tags] };
    byId.set(image.id, entry);
    const reference = name === undefined ? undefined : parseReference(name);
    const known = entry.names.some((other) => formatReference(other) === name);
    // An archive has no place for digests.
    if (reference !== undefined && reference.digest === undefined && !known) entry.names.push(reference);
  }
  return [...byId.values()];
}

async function saveSingle(engine: Engine, { image, name }: FoundImage, request: SaveRequest): Promise<void> {
  await using destination = await openDestination(engine, name, request);
  const compression = layersOf(request);
  await send(engine, image, destination, request, compression);
  await destination.finish(request.signal);
}

function layersOf({ format, compress, uncompressed }: SaveRequest): 'gzip' | 'none' | undefined {
  if (format === 'docker-dir') return compress ? 'gzip' : undefined;
  return uncompressed ? 'none' : undefined;
}

async function openDestination(engine: Engine, name: string | undefined, { format, output }: SaveRequest): Promise<ImageDestination> {
  if (format === 'oci-archive') {
    const { openOciArchiveTo, openOciArchiveWriter } = await import('../../storage/transport/oci-layout-writer.ts');
    if (typeof output === 'string') return openOciArchiveWriter(output, name, stagingDirectory(engine));
    return openOciArchiveTo(await openOutput(output), 'oci-archive', name, stagingDirectory(engine));
  }
  if (typeof output !== 'string') {
    throw new EngineError('INVALID_ARGUMENT', `format ${JSON.stringify(format)} is a directory and cannot be written to a stream`, {
      hint: 'Name the directory with --output.',
    });
  }
  if (format === 'oci-dir') return (await import('../../storage/transport/oci-layout-writer.ts')).openOciDirectoryWriter(output, name);
  return (await import('../../storage/transport/image-directory-writer.ts')).openImageDirectoryWriter(output, 'v2s2');
}

async function openOutput(output: string | Writable, options: FileOutputOptions = { replace: false }): Promise<Output> {
  const { openFileOutput, openStreamOutput } = await import('../../storage/transport/output.ts');
  return typeof output === 'string' ? openFileOutput(output, options) : openStreamOutput(output);
}

async function send(
  engine: Engine,
  image: ImageRecord,
  destination: ImageDestination,
  { onEvent, signal }: SaveRequest,
  compression?: 'gzip' | 'none',
): Promise<void> {
  await sendImage(await outgoingImage(engine, image), destination, {
    onEvent,
    signal,
    ...(compression === undefined ? {} : { compression: { compression } }),
  });
}
