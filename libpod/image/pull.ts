/** `pull`: images from registries and from files that a transport names, under one of four policies. */
import { isEngineError, EngineError } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import type { Platform } from '../../storage/image.ts';
import { hostPlatform, normalisePlatform, suits } from '../../storage/platform.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { parseFileSource, type FileTransport } from '../../storage/transport/open.ts';
import type { Engine } from '../engine.ts';
import type { RegistryChoice } from '../registry/access.ts';
import type { PullPolicy } from '../spec/wish.ts';
import { stagingDirectory } from './blobs.ts';
import { lookUpImage, type FoundImage } from './find.ts';
import { keepCopy, keepImage, type StoreOptions } from './store.ts';

export interface PullOptions extends RegistryChoice {
  /** Every tag of the repository. */
  readonly allTags?: boolean;
  readonly policy: PullPolicy;
  /** Missing parts are the machine's. */
  readonly platform?: Partial<Platform> | undefined;
  readonly onEvent?: OnCopyEvent | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Get what `text` names: a registry image (`docker://` in front is fine), or the images of `docker-archive:`, `oci-archive:`, `oci:`, `dir:`.
 * Resolves with the ids, several only for an archive of several images and for all tags of a repository.
 * Throws NO_SUCH_IMAGE (policy never), INVALID_REFERENCE, SHORT_NAME_UNRESOLVED, REGISTRY_*, MANIFEST_UNKNOWN, PLATFORM_MISMATCH and what keepImage throws.
 */
export async function pullImages(engine: Engine, text: string, options: PullOptions): Promise<readonly ImageId[]> {
  const platform = completePlatform(options.platform);
  const file = parseFileSource(text);
  if (file && options.allTags === true) {
    throw new EngineError('INVALID_ARGUMENT', `pulling all tags is not supported for ${file.transport} transport`);
  }
  if (file) return pullFile(engine, file.transport, file.rest, platform, options);
  const name = text.replace(/^docker:\/\//, '');
  if (options.allTags === true) {
    const { allTags } = await import('./all-tags.ts');
    const names = await allTags(name, { ...options, env: engine.options.env });
    const ids: ImageId[] = [];
    for (const one of names) ids.push(await pullOne(engine, one, platform, options));
    return ids;
  }
  return [await pullOne(engine, name, platform, options)];
}

async function pullOne(engine: Engine, name: string, platform: Platform, options: PullOptions): Promise<ImageId> {
  const local = await lookUpImage(engine, name);
  if (local && isEnough(local, options, platform)) return local.image.id;
  if (options.policy === 'never') throw new EngineError('NO_SUCH_IMAGE', `${name}: image not known`);
  try {
    return await pullName(engine, nameToPull(name, local), platform, options);
  } catch (error) {
    if (options.policy !== 'newer' || !local || !isRegistryFailure(error)) throw error;
    log.info(`keeping the image that is here: ${(error as Error).message}`);
    return local.image.id;
  }
}

/** The machine's platform with what was asked for put over it. */
export function completePlatform(wanted: Partial<Platform> | undefined): Platform {
  const host = hostPlatform();
  if (wanted === undefined) return host;
  const { variant, ...rest } = host;
  const sameMachine = wanted.architecture === undefined || wanted.architecture === host.architecture;
  return normalisePlatform({ ...rest, ...(sameMachine && variant !== undefined ? { variant } : {}), ...wanted });
}

function isEnough({ image }: FoundImage, { policy, platform: asked }: PullOptions, platform: Platform): boolean {
  if (policy !== 'missing' && policy !== 'never') return false;
  const { os, architecture, variant } = image.config;
  return asked === undefined || suits({ os, architecture, ...(variant === undefined ? {} : { variant }) }, platform);
}

/** A short name that an image here answers to as `localhost/…` means that one: asking other registries for it would be a surprise. */
function nameToPull(name: string, local: FoundImage | undefined): string {
  return local?.name?.startsWith('localhost/') ? local.name : name;
}

async function pullName(engine: Engine, name: string, platform: Platform, options: PullOptions): Promise<ImageId> {
  const [{ pullImage }, { openAccess }] = await Promise.all([import('../../storage/pull.ts'), import('./access.ts')]);
  const access = await openAccess(engine, options);
  const stored = await keepCopy(engine, storeOptions(platform, options), (request) =>
    pullImage({ ...request, ...access, image: name, platform }),
  );
  return stored.imageId;
}

async function pullFile(
  engine: Engine,
  transport: FileTransport,
  rest: string,
  platform: Platform,
  options: PullOptions,
): Promise<readonly ImageId[]> {
  const { openFileSource } = await import('../../storage/transport/open.ts');
  await using opened = await openFileSource(transport, rest, { staging: stagingDirectory(engine), platform, signal: options.signal });
  const ids: ImageId[] = [];
  for (const source of opened.images) {
    const { imageId } = await keepImage(engine, source, storeOptions(platform, options));
    // One for each name, as Podman.
    ids.push(...Array<ImageId>(Math.max(source.names.length, 1)).fill(imageId));
  }
  return ids;
}

function storeOptions(platform: Platform, { onEvent, signal }: PullOptions): StoreOptions {
  return { event: 'pull', platform, onEvent, signal };
}

function isRegistryFailure(error: unknown): boolean {
  return isEngineError(error, 'REGISTRY_UNREACHABLE', 'REGISTRY_UNAUTHORIZED', 'REGISTRY_ERROR', 'MANIFEST_UNKNOWN');
}
