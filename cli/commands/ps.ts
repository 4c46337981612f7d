import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../../core/errors.ts';
import { shortId } from '../../core/id.ts';
import { type ListOptions, listContainers } from '../../libpod/container/list.ts';
import type { ContainerSummary } from '../../libpod/summary.ts';
import { type CommandContext, defineCommand } from '../command.ts';
import { psFace } from '../faces/ps.ts';
import type { FlagValues } from '../flag.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { psColumns, psJson, psView } from '../format/views/ps.ts';
import { type PsSort, sortContainers } from '../format/views/ps-sort.ts';

type PsFlags = FlagValues<typeof psFace.flags>;

const CLEAR_SCREEN = '\x1b[2J\x1b[H';

export const command = defineCommand(psFace, async (context, _args, flags) => {
  refuseConflicts(flags);
  const engine = await context.openEngine();
  const options: ListOptions = {
    all: flags.all,
    filters: flags.filter,
    last: flags.latest ? 1 : flags.last > 0 ? flags.last : undefined,
    namespaces: flags.ns,
    size: flags.size,
  };
  const print = async (): Promise<void> => {
    const rows = await listContainers(engine, options);
    await printRows(context, flags.sort === undefined ? rows : sortContainers(rows, flags.sort as PsSort), flags);
  };
  if (!flags.watch) return print();
  for (;;) {
    context.stdout.write(CLEAR_SCREEN);
    await print();
    await sleep(flags.watch * 1000);
  }
});

function refuseConflicts(flags: PsFlags): void {
  const complaint =
    flags.last >= 0 && flags.latest
      ? 'last and latest are mutually exclusive'
      : flags.quiet && (flags.size || flags.ns)
        ? 'quiet conflicts with size and namespace'
        : flags.size && flags.ns
          ? 'size and namespace options conflict'
          : flags.watch && flags.latest
            ? 'the watch and latest flags cannot be used together'
            : undefined;
  if (complaint !== undefined) throw new EngineError('USAGE', complaint);
}

async function printRows(context: CommandContext, rows: readonly ContainerSummary[], flags: PsFlags): Promise<void> {
  const format = flags.format === '' ? undefined : flags.format;
  const nowMs = Date.now();
  if (flags.quiet && format === undefined) {
    context.stdout.write(rows.map(({ id }) => `${flags['no-trunc'] ? id : shortId(id)}\n`).join(''));
  } else if (format !== undefined && isJsonFormat(format)) {
    context.stdout.write(psJson(rows, nowMs));
  } else {
    const text = await formatReport(psView({ nowMs, noTrunc: flags['no-trunc'] }), rows, {
      ...(format !== undefined && { format }),
      columns: psColumns({ namespaces: flags.ns, size: flags.size, pod: flags.pod }),
      heading: !flags.noheading,
    });
    context.stdout.write(text);
  }
}
