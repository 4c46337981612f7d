/** Results as Markdown. */
import { ROWS, type Row } from './rows.ts';
import type { Measured } from './sample.ts';
import type { Phase } from './startup.ts';

export function formatTable(results: readonly Measured[]): string {
  const lines = ROWS.filter(({ name }) => results.some((result) => result.row === name)).map((row) => formatRow(row, results));
  return ['| row | work | lichen | podman | ratio | must | verdict |', '|---|---|---|---|---|---|---|', ...lines].join('\n');
}

export function formatPhases(phases: readonly Phase[]): string {
  const lines = phases.map(({ name, ms }, index) => `| ${name} | ${ms.toFixed(1)} | ${(ms - (phases[index - 1]?.ms ?? 0)).toFixed(1)} |`);
  return ['| `run --rm --network none`: reached | at ms | took ms |', '|---|---|---|', ...lines].join('\n');
}

/** True when a row that both engines finished is above its budget, or lichen could not finish one. */
export function missesBudget(results: readonly Measured[]): boolean {
  return ROWS.some((row) => ['misses', 'fails'].includes(verdict(row, results)));
}

function formatRow(row: Row, results: readonly Measured[]): string {
  const show = (engine: Measured['engine']) => {
    const result = find(row, engine, results);
    return result?.median === undefined ? (result?.failure ?? '–').replaceAll('|', '\\|') : `${formatNumber(result.median)} ${row.unit}`;
  };
  const ratio = ratioOf(row, results);
  return `| ${row.name} | ${row.title} | ${show('lichen')} | ${show('podman')} | ${ratio?.toFixed(2) ?? '–'} | ${row.must} | ${verdict(row, results)} |`;
}

function verdict(row: Row, results: readonly Measured[]): string {
  if (find(row, 'lichen', results)?.failure !== undefined) return 'fails';
  const ratio = ratioOf(row, results);
  if (ratio === undefined) return '–';
  if (ratio <= row.aim) return 'aim reached';
  return ratio <= row.must ? 'holds' : 'misses';
}

function ratioOf(row: Row, results: readonly Measured[]): number | undefined {
  const lichen = find(row, 'lichen', results)?.median;
  const podman = find(row, 'podman', results)?.median;
  return lichen === undefined || podman === undefined ? undefined : lichen / podman;
}

function find(row: Row, engine: Measured['engine'], results: readonly Measured[]): Measured | undefined {
  return results.find((result) => result.row === row.name && result.engine === engine);
}

function formatNumber(value: number): string {
  return value < 100 ? value.toFixed(1) : value.toFixed(0);
}
