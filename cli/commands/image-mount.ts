import { EngineError } from '../../core/errors.ts';
import { findImage } from '../../libpod/image/find.ts';
import { mountedImages, mountImage, type MountedImage } from '../../libpod/image/mount.ts';
import { defineCommand } from '../command.ts';
import { imageMountFace } from '../faces/image-mount.ts';
import { imageMountsJson, imageMountsTable } from '../format/views/mounts.ts';
import { mountFormat } from '../mounting.ts';
import { requireUnshared } from '../unshared.ts';

/** All are looked up before the first is mounted. One name alone prints only the path. */
export const command = defineCommand(imageMountFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  requireUnshared(context, engine);
  if (flags.all && names.length > 0) {
    throw new EngineError('INVALID_ARGUMENT', 'when using the --all switch, you may not pass any image names or IDs');
  }
  const format = mountFormat(flags.format);
  const wanted = flags.all ? engine.images.list().filter(({ layers }) => layers.length > 0) : [];
  for (const name of names) wanted.push((await findImage(engine, name)).image);
  const made: MountedImage[] = [];
  for (const image of wanted) made.push({ image, path: await mountImage(engine, image) });
  const shown = names.length > 0 || flags.all ? made : mountedImages(engine);
  if (format === 'json') context.stdout.write(imageMountsJson(shown));
  else context.stdout.write(names.length === 1 ? `${shown[0]!.path}\n` : imageMountsTable(shown));
});
