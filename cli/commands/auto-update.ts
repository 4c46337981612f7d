import { autoUpdate } from '../../libpod/autoupdate/run.ts';
import { defineCommand } from '../command.ts';
import { throwFailures } from '../failures.ts';
import { autoUpdateFace } from '../faces/auto-update.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';
import { AUTO_UPDATE_COLUMNS, AUTO_UPDATE_VIEW, autoUpdateJson } from '../format/views/auto-update.ts';
import { copyProgress } from '../progress.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(autoUpdateFace, async (context, _args, flags) => {
  const { format } = flags;
  const choice = await registryChoice(context, flags);
  const engine = await context.openEngine();
  const { reports, failures } = await autoUpdate(engine, {
    ...choice,
    dryRun: flags['dry-run'],
    rollback: flags.rollback,
    onEvent: copyProgress(context, { quiet: false }),
  });
  // Podman prints nothing at all then, not even an empty list.
  if (reports.length > 0) {
    const options = { columns: AUTO_UPDATE_COLUMNS, heading: true, ...(format ? { format } : {}) };
    const isJson = format !== undefined && isJsonFormat(format);
    context.stdout.write(isJson ? autoUpdateJson(reports) : await formatReport(AUTO_UPDATE_VIEW, reports, options));
  }
  throwFailures(failures, []);
});
