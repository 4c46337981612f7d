import { removeFromList } from '../../libpod/manifest/remove.ts';
import { defineCommand } from '../command.ts';
import { manifestRemoveFace } from '../faces/manifest-remove.ts';

export const command = defineCommand(manifestRemoveFace, async (context, [name, digest], _flags) => {
  context.stdout.line(await removeFromList(await context.openEngine(), name!, digest!));
});
