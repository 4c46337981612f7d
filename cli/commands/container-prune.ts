import { prunableContainers } from '../../libpod/container/prune.ts';
import { removeContainer } from '../../libpod/container/remove.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { forEachName } from '../each.ts';
import { containerPruneFace } from '../faces/container-prune.ts';

export const command = defineCommand(containerPruneFace, async (context, _args, flags) => {
  if (!flags.force && !confirm(context, 'WARNING! This will remove all non running containers.')) return;
  const engine = await context.openEngine();
  await forEachName(context, await prunableContainers(engine, flags.filter), async ({ id }) => {
    await removeContainer(engine, id, { force: false, volumes: false });
    return id;
  });
});
