import { prunableVolumes, pruneVolume } from '../../libpod/volume/prune.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { forEachName } from '../each.ts';
import { volumePruneFace } from '../faces/volume-prune.ts';

const WARNING = 'WARNING! This will remove all volumes not used by at least one container. The following volumes will be removed:';

export const command = defineCommand(volumePruneFace, async (context, _args, flags) => {
  const engine = await context.openEngine();
  const volumes = prunableVolumes(engine, flags.filter);
  if (!flags.force) {
    if (volumes.length === 0) {
      context.stdout.write(`${WARNING}\nNo dangling volumes found\n`);
      return;
    }
    if (!confirm(context, [WARNING, ...volumes.map(({ name }) => name)].join('\n'))) return;
  }
  await forEachName(context, volumes, async (volume) => (await pruneVolume(engine, volume))?.name);
});
