import { inspectedArtifact } from '../../libpod/artifact/inspect.ts';
import { defineCommand } from '../command.ts';
import { artifactInspectFace } from '../faces/artifact-inspect.ts';
import { artifactData } from '../format/views/artifact-document.ts';
import { encodeJson, FIVE_SPACES } from '../format/json.ts';
import { formatEach, isJsonFormat } from '../format/report.ts';

export const command = defineCommand(artifactInspectFace, async (context, [name], { format }) => {
  const document = await inspectedArtifact(await context.openEngine(), name!);
  if (isJsonFormat(format)) context.stdout.line(encodeJson(document, FIVE_SPACES));
  else context.stdout.write(await formatEach('inspect', format, [artifactData(document)]));
});
