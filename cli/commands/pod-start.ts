import { startPod } from '../../libpod/pod/life.ts';
import { defineCommand } from '../command.ts';
import { podStartFace } from '../faces/pod-start.ts';
import { forEachPod, podsByFlags } from '../pods.ts';

export const command = defineCommand(podStartFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const start = (pod: Parameters<typeof startPod>[1]) => startPod(engine, pod, (line) => context.stderr.line(line));
  await forEachPod(context, podsByFlags(engine, names, flags), start, ({ name }) => name);
});
