import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { latestContainer } from '../../libpod/container/select.ts';
import { type ContainerStats, containerStats } from '../../libpod/container/stats.ts';
import { settled } from '../../libpod/container/wait.ts';
import type { Engine } from '../../libpod/engine.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { statsFace } from '../faces/stats.ts';
import type { FlagValues } from '../flag.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { STATS_COLUMNS, statsJson, statsView } from '../format/views/stats.ts';

type StatsFlags = FlagValues<typeof statsFace.flags>;

const CLEAR_SCREEN = '\x1b[2J\x1b[H';

export const command = defineCommand(statsFace, async (context, names, flags) => {
  if (flags.interval < 1) throw new EngineError('INVALID_ARGUMENT', 'invalid interval, must be a positive number greater zero');
  const engine = await context.openEngine();
  const before = new Map<string, ContainerStats>();
  for (let isFirst = true; ; isFirst = false) {
    const rows: ContainerStats[] = [];
    for (const record of chosen(engine, names, flags, isFirst)) {
      const now = await settled(engine, record);
      if (now) rows.push(containerStats(now, before.get(now.id)));
    }
    for (const row of rows) before.set(row.id, row);
    if (!flags['no-stream'] && !flags['no-reset'] && context.stdout.isTerminal()) context.stdout.write(CLEAR_SCREEN);
    await print(context, rows, flags);
    if (flags['no-stream']) return;
    await sleep(flags.interval * 1000);
  }
});

/** Looked up anew each time: containers come and go, and one that was named and is gone is left out. */
function chosen(engine: Engine, names: readonly string[], flags: StatsFlags, isFirst: boolean): ContainerRecord[] {
  if (flags.latest) return [latestContainer(engine)];
  if (names.length === 0) return engine.containers.list().filter(({ status }) => flags.all || status === 'running');
  return names.flatMap((name) => {
    try {
      return [engine.containers.find(name)];
    } catch (error) {
      if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
      if (!isFirst) return [];
      throw new EngineError(error.code, `unable to get list of containers: unable to look up container ${name}: ${error.message}`, {
        cause: error,
      });
    }
  });
}

async function print(context: CommandContext, rows: readonly ContainerStats[], flags: StatsFlags): Promise<void> {
  const format = flags.format === '' ? undefined : flags.format;
  const noTrunc = flags['no-trunc'];
  if (format !== undefined && isJsonFormat(format)) return context.stdout.write(statsJson(rows, noTrunc));
  const options = { ...(format !== undefined && { format }), columns: STATS_COLUMNS, heading: true };
  context.stdout.write(await formatReport(statsView({ noTrunc }), rows, options));
}
