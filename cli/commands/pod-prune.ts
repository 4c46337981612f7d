import { prunablePods, prunePod } from '../../libpod/pod/prune.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { podPruneFace } from '../faces/pod-prune.ts';
import { forEachPod } from '../pods.ts';

export const command = defineCommand(podPruneFace, async (context, _args, flags) => {
  if (!flags.force && !confirm(context, 'WARNING! This will remove all stopped/exited pods..')) return;
  const engine = await context.openEngine();
  const ended = (await prunablePods(engine)).map((pod) => ({ pod, shown: pod.id }));
  await forEachPod(context, ended, (pod) => prunePod(engine, pod));
});
