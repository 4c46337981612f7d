import { EngineError } from '../../core/errors.ts';
import { removePod } from '../../libpod/pod/remove.ts';
import { defineCommand } from '../command.ts';
import { podRmFace } from '../faces/pod-rm.ts';
import { forEachPod, podsByFlags } from '../pods.ts';

export const command = defineCommand(podRmFace, async (context, names, flags) => {
  if (flags.time !== undefined && !flags.force) {
    throw new EngineError('INVALID_ARGUMENT', '--force option must be specified to use the --time option');
  }
  const engine = await context.openEngine();
  const selected = podsByFlags(engine, names, { ...flags, ignore: flags.ignore || flags.force });
  await forEachPod(context, selected, (pod) => removePod(engine, pod, { force: flags.force, timeoutSeconds: flags.time }));
});
