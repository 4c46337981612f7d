import { prunablePods, prunePod } from '../../libpod/pod/prune.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { podPruneFace } from '../faces/pod-prune.ts';
import { forEachPod } from '../pods.ts';

export const command = defineCommand(podPruneFace, async (context, _args, flags) => {
  if (!flags.force && !confirm(context, 'WARNING! This will remove all stopped/exited pods..')) return;
  const engine = await context.openEngine();
  await forEachPod(context, await prunablePods(engine), (pod) => prunePod(engine, pod));
});
