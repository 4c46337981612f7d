import { pullArtifact } from '../../libpod/artifact/pull.ts';
import { defineCommand } from '../command.ts';
import { artifactPullFace } from '../faces/artifact-pull.ts';
import { interruptible } from '../interruption.ts';
import { copyProgress } from '../progress.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(artifactPullFace, async (context, [name], flags) => {
  const options = { ...(await registryChoice(context, flags)), onEvent: copyProgress(context, flags) };
  const engine = await context.openEngine();
  await interruptible((signal) => pullArtifact(engine, name!, { ...options, signal }));
});
