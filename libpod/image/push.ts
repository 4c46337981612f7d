/** `push`: an image to a registry, or to a file that a transport names. */
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { sendImage } from '../../storage/send.ts';
import type { CompressionChoice } from '../../storage/transport/compress.ts';
import type { ManifestFormat } from '../../storage/transport/destination.ts';
import type { Engine } from '../engine.ts';
import { checkDestination, openDestination } from './destination.ts';
import { findImage, type FoundImage } from './find.ts';
import { outgoingImage, rememberLayers } from './outgoing.ts';
import type { RegistryChoice } from '../registry/access.ts';

export interface PushOptions extends RegistryChoice {
  /** Absent: that of the image. */
  readonly format?: ManifestFormat | undefined;
  readonly compression?: CompressionChoice | undefined;
  /** A layer that is there in another compression is sent again. */
  readonly forceCompression: boolean;
  /** Compress the layers of a `dir:`. */
  readonly compress: boolean;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Send the image that `text` names to `destination` (its own name where absent). Layers that are there already are not sent: a layer that went through
 * is remembered at once, so that the next attempt goes on where this one failed. Resolves with the digest of the manifest at the destination.
 * Throws NO_SUCH_IMAGE, INVALID_ARGUMENT, INVALID_REFERENCE, NOT_SUPPORTED, ARCHIVE_UNSUPPORTED, REGISTRY_*, STORE_*, ABORTED.
 */
export async function pushImage(engine: Engine, text: string, destination: string | undefined, options: PushOptions): Promise<Digest> {
  const found = await findImage(engine, text.replace(/^containers-storage:/, ''));
  await checkDestination(engine, destination ?? text);
  const { withRetries } = await import('../../storage/registry/retry.ts');
  const digest = await withRetries(() => attempt(engine, found, destination ?? text, options), {
    retries: options.retries,
    delayMs: options.retryDelayMs,
    signal: options.signal,
    onEvent: options.onEvent,
  });
  engine.events.offer({ type: 'image', status: 'push', id: found.image.id, name: destination ?? text });
  return digest;
}

async function attempt(engine: Engine, { image, name }: FoundImage, to: string, options: PushOptions): Promise<Digest> {
  const opened = await openDestination(engine, to, { ...options, name });
  await using destination = opened.destination;
  if (opened.digest !== undefined && opened.digest !== image.manifestDigest) {
    throw new EngineError('INVALID_ARGUMENT', "Digest of source image's manifest would not match destination reference");
  }
  const { repository } = opened;
  options.onEvent?.({ kind: 'signatures' });
  const sent = await sendImage(await outgoingImage(engine, image), destination, {
    format: options.format,
    compression: opened.compresses ? (options.compression ?? { compression: 'gzip' }) : undefined,
    forceCompression: options.forceCompression,
    onLayer: (layer) => repository !== undefined && rememberLayers(engine, [layer], repository),
    onEvent: options.onEvent,
    signal: options.signal,
  });
  await destination.finish(options.signal);
  return sent.manifest.digest;
}
