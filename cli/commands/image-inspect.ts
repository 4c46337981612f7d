import { findImage } from '../../libpod/image/find.ts';
import { inspectedImage } from '../../libpod/image/inspect.ts';
import { defineCommand } from '../command.ts';
import { imageInspectFace } from '../faces/image-inspect.ts';
import { formatInspect } from '../format/views/inspect.ts';

/** What was found is printed even if something was not. */
export const command = defineCommand(imageInspectFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const documents: { readonly kind: 'image'; readonly document: object }[] = [];
  const failures: unknown[] = [];
  for (const name of names) {
    try {
      documents.push({ kind: 'image', document: await inspectedImage(engine, (await findImage(engine, name)).image) });
    } catch (error) {
      failures.push(error);
    }
  }
  context.stdout.write(await formatInspect(documents, flags.format));
  for (const error of failures.slice(0, -1)) context.stderr.line(`Error: ${(error as Error).message}`);
  if (failures.length > 0) throw failures.at(-1);
});
