import type { JsonObject } from '../../core/json.ts';
import { parseJson } from '../../core/json.ts';
import type { Engine } from '../engine.ts';
import { inspectImage, type ImageView } from '../inspect/image.ts';
import type { ImageRecord } from '../state/images.ts';
import { imageBlobs } from './blobs.ts';
import { digestOfId } from './garbage.ts';
import { repoDigests } from './list.ts';
import { mountedAt } from './mount.ts';
import { lineage } from './parents.ts';

/** `image inspect`'s document. Throws STORE_CORRUPT where a document of the image is missing. */
export async function inspectedImage(engine: Engine, image: ImageRecord): Promise<JsonObject> {
  const blobs = imageBlobs(engine);
  const [config, manifest, driver, layers] = await Promise.all([
    blobs
      .read(digestOfId(image.id))
      .then((bytes) => parseJson(bytes, `config of image ${image.id}`, 'STORE_CORRUPT') as unknown as ImageView['config']),
    blobs.read(image.manifestDigest).then((bytes) => parseJson(bytes, `manifest of image ${image.id}`, 'STORE_CORRUPT') as Manifest),
    engine.driver(),
    engine.layers(),
  ]);
  return inspectImage({
    id: image.id,
    digest: image.manifestDigest,
    manifestType: image.manifestType,
    annotations: manifest.annotations ?? {},
    config,
    repoTags: image.names.filter((name) => !name.includes('@')),
    repoDigests: repoDigests(image),
    parent: lineage(engine.images.list()).parentOf.get(image.id) ?? '',
    sizeBytes: image.sizeBytes,
    driver: driver.name,
    layers: image.layers.map((layer) => layers.tree(layer)).toReversed(),
    workDir: image.layers.length === 0 ? '' : layers.work(image.layers.at(-1)!),
    mergedDir: mountedAt(engine, image.id),
    namesHistory: engine.images.pastNames(image.id),
  });
}

interface Manifest extends JsonObject {
  readonly annotations?: Readonly<Record<string, string>>;
}
