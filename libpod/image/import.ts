import type { Readable } from 'node:stream';
import type { ImageId } from '../../core/id.ts';
import type { Platform } from '../../storage/image.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { formatReference } from '../../storage/reference.ts';
import { openRootfs } from '../../storage/transport/import.ts';
import { download } from '../download.ts';
import type { Engine } from '../engine.ts';
import { stagingDirectory } from './blobs.ts';
import { completePlatform } from './pull.ts';
import { keepImage } from './store.ts';
import { nameToTag } from './tag.ts';

export interface ImportOptions {
  readonly reference?: string | undefined;
  readonly platform?: Partial<Platform> | undefined;
  readonly changes: readonly string[];
  readonly message?: string | undefined;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A root file system in a tar becomes an image of one layer. `source` is a path, an http(s) URL, or a stream.
 * Throws INVALID_ARGUMENT (changes), INVALID_REFERENCE, ARCHIVE_UNSUPPORTED, REGISTRY_UNREACHABLE (URL) and what keepImage throws.
 */
export async function importRootfs(engine: Engine, source: string | Readable, options: ImportOptions): Promise<ImageId> {
  const names = options.reference === undefined ? [] : [formatReference(nameToTag(options.reference))];
  await using input = await openInput(engine, source, options);
  await using rootfs = await openRootfs({
    input: input.value,
    staging: stagingDirectory(engine),
    platform: completePlatform(options.platform),
    changes: options.changes,
    message: options.message,
    signal: options.signal,
  });
  const { onEvent, signal } = options;
  return (await keepImage(engine, rootfs, { names, event: 'import', onEvent, signal })).imageId;
}

type RootfsInput = Parameters<typeof openRootfs>[0]['input'];

async function openInput(
  engine: Engine,
  source: string | Readable,
  { signal }: ImportOptions,
): Promise<{ readonly value: RootfsInput } & AsyncDisposable> {
  const nothing = async (): Promise<void> => undefined;
  if (typeof source !== 'string') return { value: { stream: source, name: '-' }, [Symbol.asyncDispose]: nothing };
  if (!/^https?:\/\//.test(source)) return { value: { path: source }, [Symbol.asyncDispose]: nothing };
  const { stream, [Symbol.dispose]: close } = await download(source, { env: engine.options.env, config: engine.paths.config, signal });
  return { value: { stream, name: source }, [Symbol.asyncDispose]: async () => close() };
}
