import { engineInfo } from '../../libpod/system/info.ts';
import { defineCommand } from '../command.ts';
import { infoFace } from '../faces/info.ts';
import { formatInfo } from '../format/views/info.ts';
import { versionDocument } from '../version.ts';

export const command = defineCommand(infoFace, async (context, _args, { format }) => {
  const engine = await context.openEngine();
  context.stdout.write(await formatInfo(await engineInfo(engine, versionDocument(context.program)), format));
});
