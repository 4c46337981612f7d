import { listSecrets } from '../../libpod/secret/list.ts';
import { defineCommand } from '../command.ts';
import { secretLsFace } from '../faces/secret-ls.ts';
import { formatReport } from '../format/report.ts';
import { SECRET_COLUMNS, secretsView } from '../format/views/secrets.ts';

export const command = defineCommand(secretLsFace, async (context, _args, flags) => {
  const { format } = flags;
  const rows = listSecrets(await context.openEngine(), flags.filter);
  if (flags.quiet && format === undefined) {
    context.stdout.write(rows.map(({ id }) => `${id}\n`).join(''));
    return;
  }
  const options = { columns: SECRET_COLUMNS, heading: !flags.noheading, ...(format ? { format } : {}) };
  context.stdout.write(await formatReport(secretsView(Date.now()), rows, options));
});
