import { mountContainer, mountedContainers } from '../../libpod/container/mount.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { mountFace } from '../faces/mount.ts';
import { containerMountsJson, containerMountsTable } from '../format/views/mounts.ts';
import { mountFormat } from '../mounting.ts';
import { selectByFlags } from '../selection.ts';
import { requireUnshared } from '../unshared.ts';

export const command = defineCommand(mountFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  requireUnshared(context, engine);
  const format = mountFormat(flags.format);
  if (names.length > 0 || flags.all || flags.latest) {
    const selected = selectByFlags(engine, names, flags);
    return await forEachName(context, selected, ({ record }) => mountContainer(engine, record.id));
  }
  const mounted = mountedContainers(engine);
  context.stdout.write(format === 'json' ? containerMountsJson(mounted) : containerMountsTable(mounted, flags['no-trunc']));
});
