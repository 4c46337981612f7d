import { findImage } from '../../libpod/image/find.ts';
import { imageTree } from '../../libpod/image/tree.ts';
import { defineCommand } from '../command.ts';
import { imageTreeFace } from '../faces/image-tree.ts';
import { formatImageTree } from '../format/views/image-tree.ts';

export const command = defineCommand(imageTreeFace, async (context, [name], flags) => {
  const engine = await context.openEngine();
  const { image } = await findImage(engine, name!);
  context.stdout.write(formatImageTree(await imageTree(engine, image, { whatRequires: flags.whatrequires })));
});
