import { removeAllImages, removeImages } from '../../libpod/image/remove.ts';
import { defineCommand } from '../command.ts';
import { throwFailures } from '../failures.ts';
import { rmiFace } from '../faces/rmi.ts';

export const command = defineCommand(rmiFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const options = { force: flags.force, keepParents: flags['no-prune'], ignoreMissing: flags.ignore || flags.force };
  const removed = flags.all ? await removeAllImages(engine, options) : await removeImages(engine, names, options);
  for (const name of removed.untagged) context.stdout.line(`Untagged: ${name}`);
  for (const id of removed.deleted) context.stdout.line(`Deleted: ${id}`);
  throwFailures(removed.failures, ['NO_SUCH_IMAGE', 'IN_USE']);
});
