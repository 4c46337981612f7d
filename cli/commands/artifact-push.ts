import { pushArtifact } from '../../libpod/artifact/push.ts';
import { defineCommand } from '../command.ts';
import { writeDigest } from '../digest-file.ts';
import { artifactPushFace } from '../faces/artifact-push.ts';
import { interruptible } from '../interruption.ts';
import { copyProgress } from '../progress.ts';
import { registryChoice } from '../pulling.ts';

export const command = defineCommand(artifactPushFace, async (context, [name], flags) => {
  const options = { ...(await registryChoice(context, flags)), onEvent: copyProgress(context, flags) };
  const engine = await context.openEngine();
  const digest = await interruptible((signal) => pushArtifact(engine, name!, { ...options, signal }));
  if (flags.digestfile !== undefined) writeDigest(flags.digestfile, digest);
});
