import { defineCommand } from '../command.ts';
import { artifactLsFace } from '../faces/artifact-ls.ts';
import { ARTIFACT_COLUMNS, artifactsJson, artifactsView } from '../format/views/artifacts.ts';
import { formatReport, isJsonFormat } from '../format/report.ts';

export const command = defineCommand(artifactLsFace, async (context, _args, flags) => {
  const { format } = flags;
  const rows = (await context.openEngine()).artifacts.list();
  const view = artifactsView({ nowMs: Date.now(), noTrunc: flags['no-trunc'] });
  if (format !== undefined && isJsonFormat(format)) context.stdout.write(artifactsJson(view, rows));
  else {
    const options = { columns: ARTIFACT_COLUMNS, heading: !flags.noheading, ...(format ? { format } : {}) };
    context.stdout.write(await formatReport(view, rows, options));
  }
});
