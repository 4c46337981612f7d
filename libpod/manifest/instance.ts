/** The image that a manifest list means on this machine. */
import { EngineError } from '../../core/errors.ts';
import { formatPlatform, hostPlatform, selectPlatform } from '../../storage/platform.ts';
import type { Engine } from '../engine.ts';
import type { FoundImage } from '../image/find.ts';
import type { ImageRecord } from '../state/images.ts';
import { readIndex } from './find.ts';

/** Throws PLATFORM_MISMATCH, and NO_SUCH_IMAGE when the image of that manifest is not in this store. */
export async function instanceForHost(engine: Engine, list: ImageRecord): Promise<FoundImage> {
  const { manifests } = await readIndex(engine, list);
  const platform = hostPlatform();
  const entry = selectPlatform(manifests, platform);
  if (entry === undefined) {
    throw new EngineError('PLATFORM_MISMATCH', `no image in manifest list ${list.id} for ${formatPlatform(platform)}`);
  }
  const image = engine.images.byManifest(entry.digest);
  if (image === undefined) {
    throw new EngineError(
      'NO_SUCH_IMAGE',
      `could not find image instance ${entry.digest} of manifest list ${list.id} in local containers storage: image not known`,
    );
  }
  const [name] = image.names;
  return { image, ...(name === undefined ? {} : { name }) };
}
