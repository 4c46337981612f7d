import { createList } from '../../libpod/manifest/create.ts';
import { defineCommand } from '../command.ts';
import { manifestCreateFace } from '../faces/manifest-create.ts';
import { annotationMap } from '../listing.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(manifestCreateFace, async (context, [name, ...images], flags) => {
  const { all, amend } = flags;
  const options = { all, amend, annotations: annotationMap(flags.annotation), ...(await registryChoice(context, flags)) };
  context.stdout.line(await createList(await context.openEngine(), name!, images, options));
});
