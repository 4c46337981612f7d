import { inspectedList } from '../../libpod/manifest/inspect.ts';
import { defineCommand } from '../command.ts';
import { manifestInspectFace } from '../faces/manifest-inspect.ts';
import { encodeJson, FOUR_SPACES } from '../format/json.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(manifestInspectFace, async (context, [name], flags) => {
  const document = await inspectedList(await context.openEngine(), name!, await registryChoice(context, flags));
  context.stdout.line(encodeJson(document, FOUR_SPACES));
});
