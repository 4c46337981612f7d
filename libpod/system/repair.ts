/** `system check --repair`: one object after the other; what cannot be mended is told, and removed only with `--force`. */
import type { Digest } from '../../core/digest.ts';
import { log } from '../../core/log.ts';
import type { ContainerId, ImageId } from '../../core/id.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import type { Engine } from '../engine.ts';
import { collectGarbage, noteLayers } from '../image/garbage.ts';
import { repairImage } from '../image/repair.ts';
import type { CheckReport } from './check.ts';

export interface RepairStoreOptions {
  readonly quick: boolean;
  /** Remove images and containers that cannot be mended. */
  readonly force: boolean;
  readonly onEvent?: OnCopyEvent | undefined;
}

export type Repair =
  | { readonly kind: 'mended'; readonly image: ImageId; readonly name: string | undefined; readonly from: string }
  | {
      readonly kind: 'lost';
      readonly image: ImageId;
      readonly name: string | undefined;
      readonly why: string;
      readonly containers: readonly string[];
    }
  | { readonly kind: 'deleted'; readonly what: 'layer' | 'image' | 'container'; readonly id: string };

/** What was done, in order. A failure with one object leaves the others alone. */
export async function* repairStore(engine: Engine, report: CheckReport, options: RepairStoreOptions): AsyncGenerator<Repair, void> {
  const lost: ImageId[] = [];
  for (const [image, damage] of report.images) {
    const name = engine.images.allNames().find(({ imageId }) => imageId === image)?.name;
    try {
      yield { kind: 'mended', image, name, from: await repairImage(engine, image, damage, options) };
    } catch (error) {
      log.debug(() => (error as Error).stack ?? '');
      lost.push(image);
      const containers = engine.containers.usingImage(image).map((container) => container.name);
      yield { kind: 'lost', image, name, why: (error as Error).message, containers };
    }
  }
  if (options.force) yield* removeLost(engine, report, lost);
  yield* removeStrays(engine, report.strayLayers);
}

async function* removeLost(engine: Engine, report: CheckReport, lost: readonly ImageId[]): AsyncGenerator<Repair, void> {
  const store = await engine.layers();
  const { removeContainer } = await import('../container/remove.ts');
  for (const id of report.containers.keys()) {
    const record = engine.containers.get(id);
    if (!record || !(await isStillDamaged(record))) continue;
    await removeContainer(engine, id, { force: true, volumes: false, depend: true });
    yield { kind: 'deleted', what: 'container', id };
  }
  const { removeWholeImages } = await import('../image/remove.ts');
  for (const id of lost) {
    const { failures } = await removeWholeImages(engine, [id], { force: true, keepParents: true, ignoreMissing: true });
    if (failures.length > 0) throw failures[0];
    yield { kind: 'deleted', what: 'image', id };
  }

  async function isStillDamaged({
    id,
    config,
  }: {
    readonly id: ContainerId;
    readonly config: { readonly layers: readonly string[] };
  }): Promise<boolean> {
    for (const layer of config.layers as readonly Digest[]) {
      if (report.layers.has(layer) && (await store.examine(layer, { quick: false })).content.length > 0) return true;
    }
    return (report.containers.get(id) ?? []).some((problem) => !problem.startsWith('layer '));
  }
}

async function* removeStrays(engine: Engine, layers: readonly Digest[]): AsyncGenerator<Repair, void> {
  if (layers.length === 0) return;
  noteLayers(engine, layers);
  await collectGarbage(engine);
  const store = await engine.layers();
  for (const layer of layers) if (!store.has(layer)) yield { kind: 'deleted', what: 'layer', id: layer };
}
