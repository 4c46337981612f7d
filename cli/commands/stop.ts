import { stopContainer } from '../../libpod/container/stop.ts';
import { defineCommand } from '../command.ts';
import { forEachAtOnce } from '../each.ts';
import { stopFace } from '../faces/stop.ts';
import { selectByFlags } from '../selection.ts';

export const command = defineCommand(stopFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const selected = selectByFlags(engine, names, flags, { ignoreMissing: flags.ignore, ignoreMissingFiles: flags.ignore });
  await forEachAtOnce(context, selected, async ({ record, shown }) => {
    await stopContainer(engine, record.id, { timeoutSeconds: flags.time, byService: flags.service });
    return shown;
  });
});
