/** Where the time of one `run` goes: with LICHEN_TRACE_TIMES=1 lichen writes lines `lichen-time NAME MS` (since its process began) to stderr. */
import { timed, type Engine } from './engine.ts';
import { SMALL_IMAGE } from './rows.ts';
import { median } from './sample.ts';

export interface Phase {
  readonly name: string;
  readonly ms: number;
}

const SAMPLES = 9;

/** Medians in the order of appearance; empty when nothing is traced. */
export async function traceStartup(lichen: Engine): Promise<readonly Phase[]> {
  const phases = new Map<string, number[]>();
  for (let sample = 0; sample < SAMPLES; sample++) {
    const { stderr } = await timed(lichen, ['run', '--rm', '--network', 'none', SMALL_IMAGE, 'true'], { LICHEN_TRACE_TIMES: '1' });
    for (const [, name = '', ms] of stderr.matchAll(/^lichen-time (\S+) ([\d.]+)$/gm))
      phases.set(name, [...(phases.get(name) ?? []), Number(ms)]);
  }
  return [...phases].map(([name, values]) => ({ name, ms: median(values) }));
}
