import { tagImage } from '../../libpod/image/tag.ts';
import { defineCommand } from '../command.ts';
import { tagFace } from '../faces/tag.ts';

export const command = defineCommand(tagFace, async (context, [image, ...targets], _flags) => {
  await tagImage(await context.openEngine(), image!, targets);
});
