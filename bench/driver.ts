/**
 * Runs where both engines run, as the user who runs them: `node bench/driver.ts '{"engines":…,"material":…,"rows":[…]}'`.
 * Writes one JSON line for each result to stdout; main.ts turns them into a table.
 */
import { carryOut, type Engine } from './engine.ts';
import type { Material } from './material.ts';
import { ROWS, SMALL_IMAGE } from './rows.ts';
import { sampleRow } from './sample.ts';
import { traceStartup } from './startup.ts';

export interface Assignment {
  readonly engines: readonly Engine[];
  readonly material: Material;
  readonly rows: readonly string[];
  readonly samples?: number;
}

const { engines, material, rows, samples } = JSON.parse(process.argv[2] ?? '{}') as Assignment;
const usable: Engine[] = [];
const unusable: { readonly engine: Engine; readonly failure: string }[] = [];

for (const engine of engines) {
  try {
    await carryOut(engine, ['load', '-i', material.small]);
    usable.push(engine);
  } catch (error) {
    unusable.push({ engine, failure: error instanceof Error ? error.message : String(error) });
  }
}
for (const row of ROWS.filter(({ name }) => rows.includes(name))) {
  process.stderr.write(`bench: ${row.name}\n`);
  for (const measured of await sampleRow(row, usable, material, samples)) report({ measured });
  for (const { engine, failure } of unusable) report({ measured: { row: row.name, engine: engine.name, failure } });
}
const lichen = usable.find(({ name }) => name === 'lichen');
if (lichen !== undefined && rows.includes('startup')) report({ phases: await traceStartup(lichen) });
for (const engine of usable) await carryOut(engine, ['rmi', '-f', SMALL_IMAGE], { ignoreFailure: true });

function report(line: object): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
