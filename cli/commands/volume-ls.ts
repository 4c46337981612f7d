import { EngineError } from '../../core/errors.ts';
import { listVolumes } from '../../libpod/volume/list.ts';
import { defineCommand } from '../command.ts';
import { volumeLsFace } from '../faces/volume-ls.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { VOLUME_COLUMNS, volumesJson, volumesView } from '../format/views/volumes.ts';

export const command = defineCommand(volumeLsFace, async (context, _args, flags) => {
  const { format } = flags;
  if (flags.quiet && format !== undefined) throw new EngineError('INVALID_ARGUMENT', 'quiet and format flags cannot be used together');
  const rows = listVolumes(await context.openEngine(), flags.filter);
  if (format !== undefined && isJsonFormat(format)) context.stdout.write(volumesJson(rows));
  else if (flags.quiet) context.stdout.write(rows.map(({ name }) => `${name}\n`).join(''));
  else {
    const options = { columns: VOLUME_COLUMNS, heading: !flags.noheading, ...(format ? { format } : {}) };
    context.stdout.write(await formatReport(volumesView, rows, options));
  }
});
