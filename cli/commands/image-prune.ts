import { pruneImages } from '../../libpod/image/prune.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { throwFailures } from '../failures.ts';
import { imagePruneFace } from '../faces/image-prune.ts';

export const command = defineCommand(imagePruneFace, async (context, _args, flags) => {
  const what = flags.all ? 'all images without at least one container associated with them' : 'all dangling images';
  if (!flags.force && !confirm(context, `WARNING! This command removes ${what}.`)) return;
  const { deleted, failures } = await pruneImages(await context.openEngine(), { filters: flags.filter, all: flags.all });
  if (flags['build-cache']) (await import('../../libpod/build/caches.ts')).pruneCaches(await context.openEngine());
  for (const id of deleted) context.stdout.line(id);
  throwFailures(failures, []);
});
