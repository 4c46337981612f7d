import type { Readable } from 'node:stream';
import { hostPlatform } from '../../storage/platform.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { openByContent, openStream } from '../../storage/transport/open.ts';
import type { Engine } from '../engine.ts';
import { stagingDirectory } from './blobs.ts';
import { keepImage } from './store.ts';

export interface LoadOptions {
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * All images of an archive or directory of any known kind, or of a stream of one. Resolves with their names; `sha256:ID` for one without.
 * Each image is complete before the next: a failure leaves those before it. Throws ARCHIVE_UNSUPPORTED and what keepImage throws.
 */
export async function loadImages(engine: Engine, input: string | Readable, options: LoadOptions): Promise<readonly string[]> {
  const request = { staging: stagingDirectory(engine), platform: hostPlatform(), signal: options.signal };
  await using opened = typeof input === 'string' ? await openByContent(input, request) : await openStream(input, request);
  const loaded: string[] = [];
  for (const source of opened.images) {
    const { imageId } = await keepImage(engine, source, { event: 'loadfromarchive', ...options });
    loaded.push(...(source.names.length > 0 ? source.names : [`sha256:${imageId}`]));
  }
  return loaded;
}
