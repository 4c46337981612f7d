import { EngineError } from '../../core/errors.ts';
import { storeUsage } from '../../libpod/system/df.ts';
import { defineCommand } from '../command.ts';
import { systemDfFace } from '../faces/system-df.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { DF_COLUMNS, dfJson, dfRows, dfVerbose, dfView } from '../format/views/df.ts';

export const command = defineCommand(systemDfFace, async (context, _args, { format, verbose }) => {
  if (verbose && format !== undefined) throw new EngineError('INVALID_ARGUMENT', 'cannot combine --format and --verbose flags');
  const usage = await storeUsage(await context.openEngine());
  if (verbose) return context.stdout.write(dfVerbose(usage, Date.now()));
  const rows = dfRows(usage);
  if (format !== undefined && isJsonFormat(format)) return context.stdout.write(dfJson(rows));
  context.stdout.write(await formatReport(dfView, rows, { columns: DF_COLUMNS, heading: true, ...(format ? { format } : {}) }));
});
