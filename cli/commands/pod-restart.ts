import { restartPod } from '../../libpod/pod/life.ts';
import { defineCommand } from '../command.ts';
import { podRestartFace } from '../faces/pod-restart.ts';
import { forEachPod, podsByFlags } from '../pods.ts';

export const command = defineCommand(podRestartFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  await forEachPod(context, podsByFlags(engine, names, flags), (pod) => restartPod(engine, pod));
});
