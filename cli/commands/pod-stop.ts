import { stopPod } from '../../libpod/pod/life.ts';
import { defineCommand } from '../command.ts';
import { podStopFace } from '../faces/pod-stop.ts';
import { forEachPod, podsByFlags } from '../pods.ts';

export const command = defineCommand(podStopFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const options = { timeoutSeconds: flags.time, byService: flags.service };
  await forEachPod(
    context,
    podsByFlags(engine, names, flags),
    (pod) => stopPod(engine, pod, options),
    ({ name }) => name,
  );
});
