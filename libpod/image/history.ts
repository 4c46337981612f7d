import type { Engine } from '../engine.ts';
import { NEVER } from '../inspect/time.ts';
import type { ImageRecord } from '../state/images.ts';
import type { HistorySummary } from '../summary.ts';
import { layerTree, type LayerNode } from './layer-tree.ts';

/**
 * The steps an image was built in, newest first. A step has the id and the names of an image here that ends with the same layer; of several
 * steps on one layer the first has the id. Throws STORE_CORRUPT where a layer is missing.
 */
export async function imageHistory(engine: Engine, image: ImageRecord): Promise<readonly HistorySummary[]> {
  const layers = await engine.layers();
  return historyOf(image, layerTree(engine.images.list()).get(image.id), ({ diffId }) => layers.sizeBytes(diffId));
}

/** Pure. `top`: the node of the image's topmost layer. */
export function historyOf(
  { config }: Pick<ImageRecord, 'config'>,
  top: LayerNode | undefined,
  sizeOf: (layer: LayerNode) => number,
): readonly HistorySummary[] {
  const shown = new Set<string>();
  let node = top;
  return (config.history ?? []).toReversed().map((step) => {
    const first = node?.images[0]?.id;
    const isNew = first !== undefined && !shown.has(first);
    if (isNew) shown.add(first);
    const summary: HistorySummary = {
      ...(isNew && { id: first }),
      createdAt: step.created ?? NEVER,
      createdBy: step.created_by ?? '',
      sizeBytes: node && step.empty_layer !== true ? sizeOf(node) : 0,
      comment: step.comment ?? '',
      tags: node?.images.flatMap(({ names }) => names) ?? [],
    };
    if (step.empty_layer !== true) node = node?.parent;
    return summary;
  });
}
