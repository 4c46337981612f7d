/** Which pods a verb is to work on: those named, all, the last created. */
import { isEngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import type { PodConfig } from '../state/pods.ts';
import { podTable } from './rows.ts';

export interface PodSelection {
  readonly names: readonly string[];
  readonly all?: boolean;
  readonly latest?: boolean;
  readonly ignoreMissing?: boolean;
}

/** All names are looked up before anything is done to any of them. Throws NO_SUCH_POD, AMBIGUOUS_ID. */
export function selectPods(engine: Engine, { names, all, latest, ignoreMissing }: PodSelection): PodConfig[] {
  const table = podTable(engine);
  if (all) return table.list();
  if (latest) return [table.latest()];
  return names.flatMap((name) => {
    try {
      return [table.find(name)];
    } catch (error) {
      if (ignoreMissing && isEngineError(error, 'NO_SUCH_POD')) return [];
      throw error;
    }
  });
}
