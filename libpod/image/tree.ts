import type { Engine } from '../engine.ts';
import type { ImageRecord } from '../state/images.ts';
import type { ImageTreeSummary, TreeLayer } from '../summary.ts';
import { layerTree, pathTo, tagsAt, type LayerNode } from './layer-tree.ts';

/** The layers an image consists of, lowest first; with `whatRequires` its topmost one and all that is built on it. Throws STORE_CORRUPT. */
export async function imageTree(
  engine: Engine,
  image: ImageRecord,
  options: { readonly whatRequires: boolean },
): Promise<ImageTreeSummary> {
  const layers = await engine.layers();
  const top = layerTree(engine.images.list()).get(image.id);
  const shown = (node: LayerNode): TreeLayer => ({
    id: node.id,
    sizeBytes: layers.sizeBytes(node.diffId),
    tags: tagsAt(node),
    children: options.whatRequires ? node.children.map(shown) : [],
  });
  return {
    id: image.id,
    tags: image.names,
    sizeBytes: image.sizeBytes,
    layers: top === undefined ? [] : options.whatRequires ? [shown(top)] : pathTo(top).map(shown),
  };
}
