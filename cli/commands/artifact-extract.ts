import { extractArtifact } from '../../libpod/artifact/extract.ts';
import { defineCommand } from '../command.ts';
import { artifactExtractFace } from '../faces/artifact-extract.ts';
import { interruptible } from '../interruption.ts';

export const command = defineCommand(artifactExtractFace, async (context, [name, target], { digest, title }) => {
  const engine = await context.openEngine();
  await interruptible((signal) => extractArtifact(engine, name!, target!, { digest, title, signal }));
});
