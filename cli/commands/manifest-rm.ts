import { removeLists } from '../../libpod/manifest/remove.ts';
import { defineCommand } from '../command.ts';
import { throwFailures } from '../failures.ts';
import { manifestRmFace } from '../faces/manifest-rm.ts';

export const command = defineCommand(manifestRmFace, async (context, names, flags) => {
  const removed = await removeLists(await context.openEngine(), names, { ignoreMissing: flags.ignore });
  for (const name of removed.untagged) context.stdout.line(`Untagged: ${name}`);
  for (const id of removed.deleted) context.stdout.line(`Deleted: ${id}`);
  throwFailures(removed.failures, ['NO_SUCH_IMAGE']);
});
