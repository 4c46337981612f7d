import { checkName } from '../../libpod/spec/conflicts.ts';
import { clonePod } from '../../libpod/pod/clone.ts';
import { startPod } from '../../libpod/pod/life.ts';
import { removePod } from '../../libpod/pod/remove.ts';
import { defined } from '../../libpod/spec/defined.ts';
import { podTable } from '../../libpod/pod/rows.ts';
import { defineCommand } from '../command.ts';
import { podCloneFace } from '../faces/pod-clone.ts';
import { forEachPod } from '../pods.ts';
import { clonedInfra } from '../wish/pod.ts';

export const command = defineCommand(podCloneFace, async (context, [original = '', nameArgument], flags) => {
  const source = { flags, args: [], given: context.given, argv: context.argv, env: context.env, cwd: context.cwd };
  const { resources, restart, hostname, labels, infra, asked } = clonedInfra(source);
  const name = nameArgument ?? (flags.name || undefined);
  if (name !== undefined) checkName(name, 'pod');
  const engine = await context.openEngine();
  const found = podTable(engine).find(original);
  const tell = (line: string): void => context.stderr.line(line);
  const pod = await clonePod(engine, found, {
    name,
    pod: defined({
      hostname,
      restart,
      cgroupParent: flags['cgroup-parent'] || undefined,
      resources: Object.keys(resources).length > 0 ? { ...found.resources, ...resources } : undefined,
    }),
    labels,
    infra,
    asked,
    tell,
  });
  if (flags.destroy)
    await forEachPod(
      context,
      [found],
      (one) => removePod(engine, one, { force: true }),
      () => undefined,
    );
  await forEachPod(context, [pod], async (one) => (flags.start ? startPod(engine, one, tell) : []));
});
