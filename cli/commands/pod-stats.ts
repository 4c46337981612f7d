import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { type ContainerStats, containerStats } from '../../libpod/container/stats.ts';
import type { Engine } from '../../libpod/engine.ts';
import { membersOf, podTable } from '../../libpod/pod/rows.ts';
import { selectPods } from '../../libpod/pod/select.ts';
import type { PodConfig } from '../../libpod/state/pods.ts';
import { defineCommand } from '../command.ts';
import { podStatsFace } from '../faces/pod-stats.ts';
import type { FlagValues } from '../flag.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { POD_STATS_COLUMNS, type PodStats, podStatsJson, podStatsView } from '../format/views/pod-stats.ts';

type PodStatsFlags = FlagValues<typeof podStatsFace.flags>;

const CLEAR_SCREEN = '\x1b[2J\x1b[H';
const INTERVAL_MS = 5000;

export const command = defineCommand(podStatsFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const before = new Map<string, ContainerStats>();
  for (;;) {
    const rows: PodStats[] = [];
    for (const pod of chosen(engine, names, flags)) {
      for (const record of await membersOf(engine, pod)) rows.push({ pod: pod.id, ...containerStats(record, before.get(record.id)) });
    }
    for (const row of rows) before.set(row.id, row);
    if (!flags['no-stream'] && !flags['no-reset'] && context.stdout.isTerminal()) context.stdout.write(CLEAR_SCREEN);
    const { format = '' } = flags;
    if (isJsonFormat(format)) context.stdout.write(podStatsJson(rows));
    else {
      const options = { columns: POD_STATS_COLUMNS, heading: true, ...(format === '' ? {} : { format }) };
      context.stdout.write(await formatReport(podStatsView, rows, options));
    }
    if (flags['no-stream']) return;
    await sleep(INTERVAL_MS);
  }
});

/** Looked up anew each time: pods come and go. */
function chosen(engine: Engine, names: readonly string[], { latest }: PodStatsFlags): PodConfig[] {
  if (!latest && names.length === 0) return podTable(engine).list();
  try {
    return selectPods(engine, { names, latest });
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_POD')) throw error;
    throw new EngineError(error.code, `unable to get list of pods: ${error.message}`, { cause: error });
  }
}
