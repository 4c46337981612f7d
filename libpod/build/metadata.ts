/** `--metadata-file`: what was made, by the names that buildx gives to it. */
import type { ImageId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { isList } from '../state/images.ts';

/** Of an image or a list of the store. Throws STORE_CORRUPT. */
export async function builtMetadata(engine: Engine, id: ImageId, names: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const image = engine.images.byId(id);
  if (image === undefined) throw new Error(`an image that was built is not there: ${id}`);
  const { manifestDigest: digest, manifestType: mediaType } = image;
  const { length: size } = await imageBlobs(engine).read(digest);
  return {
    ...(isList(image) ? {} : { 'containerimage.config.digest': `sha256:${id}` }),
    'containerimage.descriptor': { mediaType, digest, size },
    'containerimage.digest': digest,
    ...(names.length === 0 ? {} : { 'image.name': names.join(',') }),
  };
}
