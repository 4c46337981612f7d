import type { Engine } from '../engine.ts';
import { refuseBareFilters } from '../filters.ts';
import type { ImageRecord } from '../state/images.ts';
import { imageFacts, imageTest } from './filter.ts';
import { collectGarbage, sweep } from './garbage.ts';
import { removeWholeImages, type RemovedImages } from './remove.ts';

export interface PruneOptions {
  readonly filters: readonly string[];
  /** Named ones too, where no container uses them. */
  readonly all: boolean;
}

export interface PrunedImages extends Pick<RemovedImages, 'deleted' | 'failures'> {
  readonly reclaimedBytes: number;
}

/** Remove what no container uses, and what killed copies left in the store. Throws INVALID_ARGUMENT (filters). */
export async function pruneImages(engine: Engine, options: PruneOptions): Promise<PrunedImages> {
  refuseBareFilters(options.filters);
  const images = engine.images.list();
  const facts = imageFacts(engine, images);
  const always = ['containers=false', 'readonly=false', ...(options.all ? [] : ['dangling=true'])];
  const test = await imageTest(engine, [...options.filters, ...always], facts);
  const unused = images.filter(test);
  const { deleted, failures } = await removeWholeImages(
    engine,
    unused.map(({ id }) => id),
    { force: false, keepParents: false, ignoreMissing: true },
  );
  await sweep(engine);
  await collectGarbage(engine);
  return { deleted, failures, reclaimedBytes: sum(images.filter(({ id }) => deleted.includes(id))) };
}

function sum(images: readonly ImageRecord[]): number {
  return images.reduce((bytes, image) => bytes + image.sizeBytes, 0);
}
