import { unpausePod } from '../../libpod/pod/life.ts';
import { defineCommand } from '../command.ts';
import { podUnpauseFace } from '../faces/pod-unpause.ts';
import { forEachPod, podsByFlags } from '../pods.ts';

export const command = defineCommand(podUnpauseFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  await forEachPod(context, podsByFlags(engine, names, flags), (pod) => unpausePod(engine, pod));
});
