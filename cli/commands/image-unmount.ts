import { findImage } from '../../libpod/image/find.ts';
import { mountedImages, unmountImage } from '../../libpod/image/mount.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { imageUnmountFace } from '../faces/image-unmount.ts';

export const command = defineCommand(imageUnmountFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const wanted = flags.all ? mountedImages(engine).map(({ image }) => image) : [];
  for (const name of names) wanted.push((await findImage(engine, name)).image);
  await forEachName(context, wanted, async (image) => ((await unmountImage(engine, image, { force: flags.force })) ? image.id : undefined));
});
