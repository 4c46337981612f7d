import { networkTest } from '../../libpod/network/filter.ts';
import { listNetworks } from '../../libpod/network/store.ts';
import { defineCommand } from '../command.ts';
import { networkLsFace } from '../faces/network-ls.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { NETWORK_COLUMNS, networksJson, networksView } from '../format/views/networks.ts';

export const command = defineCommand(networkLsFace, async (context, _args, flags) => {
  const { format } = flags;
  const engine = await context.openEngine();
  const rows = listNetworks(engine).filter(networkTest(engine, flags.filter, { pruning: false }));
  if (flags.quiet) context.stdout.write(rows.map(({ name }) => `${name}\n`).join(''));
  else if (format !== undefined && isJsonFormat(format)) context.stdout.write(networksJson(rows));
  else {
    const options = { columns: NETWORK_COLUMNS, heading: !flags.noheading, ...(format ? { format } : {}) };
    context.stdout.write(await formatReport(networksView(flags['no-trunc']), rows, options));
  }
});
