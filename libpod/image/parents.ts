/** Which image was built on which: a build leaves one image per step, each with one more entry of history. Pure. */
import type { ImageRecord } from '../state/images.ts';

type Built = Pick<ImageRecord, 'id' | 'config' | 'layers'>;

export interface Lineage {
  readonly parentOf: ReadonlyMap<string, string>;
  readonly withChildren: ReadonlySet<string>;
}

/** A parent has the child's history without its last step, and the layers that come with it. */
export function lineage(images: readonly Built[]): Lineage {
  const byKey = new Map(images.map((image) => [key(history(image), image.layers), image.id]));
  const parentOf = new Map<string, string>();
  for (const image of images) {
    const steps = history(image);
    const last = steps.at(-1);
    if (last === undefined || steps.length === 1) continue;
    const layers = last.empty_layer === true ? image.layers : image.layers.slice(0, -1);
    const parent = byKey.get(key(steps.slice(0, -1), layers));
    if (parent !== undefined && parent !== image.id) parentOf.set(image.id, parent);
  }
  return { parentOf, withChildren: new Set(parentOf.values()) };
}

function history({ config }: Built): NonNullable<ImageRecord['config']['history']> {
  return config.history ?? [];
}

function key(steps: NonNullable<ImageRecord['config']['history']>, layers: readonly string[]): string {
  const told = steps.map((step) => [step.created, step.created_by, step.author, step.comment, step.empty_layer]);
  return JSON.stringify([told, layers]);
}
