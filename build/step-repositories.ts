/** Steps in the repositories of a registry, `--cache-from` and `--cache-to`: each is an image, which any registry keeps and any engine pulls. */
import type { Digest } from '../core/digest.ts';
import { plainManifest } from '../storage/convert.ts';
import type { ImageConfig, ImageManifest } from '../storage/image.ts';
import type { CachedStep } from './machine.ts';
import type { StageState } from './state.ts';

/** Made by libpod/build. */
export interface StepRepositories {
  /** With its layer in the store; undefined where no repository has one that fits. Throws what the store throws, and ABORTED. */
  find(wanted: WantedStep): Promise<CachedStep | undefined>;
  /** Begins to send it and does not wait. What fails ends the build. */
  send(step: DoneStep): void;
}

export interface WantedStep {
  readonly stage: number;
  readonly key: string;
  /** Layers that were there before it. */
  readonly below: readonly Digest[];
  readonly makesLayer: boolean;
  /** What was done then or before is too old. */
  readonly afterMs: number;
}

export interface DoneStep {
  readonly stage: number;
  readonly key: string;
  /** What the stage came to with it. */
  readonly state: StageState;
  readonly madeMs: number;
  /** For messages. */
  readonly name: string;
}

const MADE = 'lichen.step.made';

/** No history: that would tell the values of ARGs of stages which are no part of the image. `sizes`: of the layers' tars. */
export function stepDocuments({ state, madeMs }: Pick<DoneStep, 'state' | 'madeMs'>, sizes: readonly number[]) {
  const { created, author, platform, layers } = state;
  const config = Buffer.from(
    JSON.stringify({
      created,
      ...(author === undefined ? {} : { author }),
      ...platform,
      config: state.config,
      rootfs: { type: 'layers', diff_ids: layers },
    }),
  );
  const manifest = plainManifest('oci', {
    config,
    layers: layers.map((digest, index) => ({ digest, size: sizes[index]! })),
    annotations: { [MADE]: new Date(madeMs).toISOString() },
  });
  return { config, manifest };
}

/** What the image says of the step; undefined where it cannot be what has come of it. */
export function stepOf(
  { annotations = {} }: ImageManifest,
  { created = '', rootfs }: ImageConfig,
  { below, makesLayer }: WantedStep,
): CachedStep | undefined {
  const madeMs = Date.parse(annotations[MADE] ?? created);
  const layers = rootfs.diff_ids;
  const fits = layers.length === below.length + (makesLayer ? 1 : 0) && below.every((layer, index) => layer === layers[index]);
  if (!fits || Number.isNaN(Date.parse(created)) || Number.isNaN(madeMs)) return undefined;
  return { ...(makesLayer ? { layer: layers.at(-1)! } : {}), created, madeMs };
}
