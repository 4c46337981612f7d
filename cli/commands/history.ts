import { findImage } from '../../libpod/image/find.ts';
import { imageHistory } from '../../libpod/image/history.ts';
import { defineCommand } from '../command.ts';
import { historyFace } from '../faces/history.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { HISTORY_COLUMNS, historyIds, historyJson, historyView } from '../format/views/history.ts';

export const command = defineCommand(historyFace, async (context, [name], flags) => {
  const engine = await context.openEngine();
  const rows = await imageHistory(engine, (await findImage(engine, name!)).image);
  const { format, human, quiet } = flags;
  const noTrunc = flags['no-trunc'];
  if (format !== undefined && isJsonFormat(format)) context.stdout.write(historyJson(rows));
  else if (quiet) context.stdout.write(historyIds(rows, noTrunc));
  else {
    const view = historyView({ nowMs: Date.now(), noTrunc, human });
    context.stdout.write(await formatReport(view, rows, { columns: HISTORY_COLUMNS, heading: true, ...(format ? { format } : {}) }));
  }
});
