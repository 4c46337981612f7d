import { pausePod } from '../../libpod/pod/life.ts';
import { defineCommand } from '../command.ts';
import { podPauseFace } from '../faces/pod-pause.ts';
import { forEachPod, podsByFlags } from '../pods.ts';

export const command = defineCommand(podPauseFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  await forEachPod(context, podsByFlags(engine, names, flags), (pod) => pausePod(engine, pod));
});
