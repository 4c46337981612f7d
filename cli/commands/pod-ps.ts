import { EngineError } from '../../core/errors.ts';
import { listPods } from '../../libpod/pod/list.ts';
import type { PodSummary } from '../../libpod/summary.ts';
import { defineCommand } from '../command.ts';
import { podPsFace } from '../faces/pod-ps.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { podColumns, podsJson, podsView } from '../format/views/pods.ts';

export const command = defineCommand(podPsFace, async (context, _args, flags) => {
  const compare = ORDERS.get(flags.sort);
  if (compare === undefined)
    throw new EngineError('INVALID_ARGUMENT', 'invalid option for --sort, options are: created, id, name, number, or status');
  const engine = await context.openEngine();
  const rows = (await listPods(engine, { filters: flags.filter, latest: flags.latest })).toSorted(compare);
  const format = flags.format === '' ? undefined : flags.format;
  if (flags.quiet && format === undefined) context.stdout.write(rows.map(({ id }) => `${id}\n`).join(''));
  else if (format !== undefined && isJsonFormat(format)) context.stdout.write(podsJson(rows));
  else {
    const { 'ctr-ids': ids, 'ctr-names': names, 'ctr-status': statuses, ns: namespaces } = flags;
    const text = await formatReport(podsView({ nowMs: Date.now(), noTrunc: flags['no-trunc'] }), rows, {
      ...(format !== undefined && { format }),
      columns: podColumns({ ids, names, statuses, namespaces }),
      heading: !flags.noheading,
    });
    context.stdout.write(text);
  }
});

type Order = (a: PodSummary, b: PodSummary) => number;

function by(key: (pod: PodSummary) => string): Order {
  return (a, b) => (key(a) < key(b) ? -1 : Number(key(a) > key(b)));
}

/** The list comes with the newest first, and keeps that among equals. */
const ORDERS: ReadonlyMap<string, Order> = new Map<string, Order>([
  ['created', () => 0],
  ['id', by(({ id }) => id)],
  ['name', by(({ name }) => name)],
  ['number', (a, b) => a.containers.length - b.containers.length],
  ['status', by(({ status }) => status)],
]);
