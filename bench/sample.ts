/** Interleaved samples: both engines see the same machine, the same minute and the same noise. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Engine } from './engine.ts';
import type { Material } from './material.ts';
import type { Row } from './rows.ts';

/** What a command leaves running behind itself (clean-up by the monitor) ends before the next one is timed. */
const SETTLE_MS = 120;

export interface Measured {
  readonly row: string;
  readonly engine: Engine['name'];
  readonly median?: number;
  /** Why there is no number. */
  readonly failure?: string;
}

/** One warm-up, then samples in the order A B, B A, A B …. An engine that fails drops out of this row; the other goes on. */
export async function sampleRow(
  row: Row,
  engines: readonly Engine[],
  material: Material,
  samples = row.samples,
): Promise<readonly Measured[]> {
  const failures = new Map<Engine, string>();
  const values = new Map<Engine, number[]>(engines.map((engine) => [engine, []]));
  const attempt = async (engine: Engine, step: () => Promise<void>) => {
    if (failures.has(engine)) return;
    try {
      await step();
    } catch (error) {
      failures.set(engine, error instanceof Error ? error.message : String(error));
    }
  };
  const warmUps = row.samples > 3 ? 2 : 0;

  for (const engine of engines) await attempt(engine, async () => row.setup?.(engine, material));
  for (let round = -warmUps; round < samples; round++) {
    for (const engine of round % 2 === 0 ? engines : engines.toReversed()) {
      await attempt(engine, async () => {
        const value = await row.measure(engine, material);
        if (round >= 0) values.get(engine)?.push(value);
      });
      await delay(SETTLE_MS);
    }
  }
  for (const engine of engines) await row.teardown?.(engine, material);

  return engines.map((engine) => {
    const failure = failures.get(engine);
    return failure === undefined
      ? { row: row.name, engine: engine.name, median: median(values.get(engine) ?? []) }
      : { row: row.name, engine: engine.name, failure };
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
