import { unmountContainer } from '../../libpod/container/mount.ts';
import { LIVE } from '../../libpod/state/containers.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { unmountFace } from '../faces/unmount.ts';
import { selectByFlags } from '../selection.ts';
import { requireUnshared } from '../unshared.ts';

export const command = defineCommand(unmountFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  requireUnshared(context, engine);
  const selected = selectByFlags(engine, names, flags).filter(({ record }) => !flags.all || !LIVE.includes(record.status));
  await forEachName(context, selected, async ({ record, shown }) => {
    const wasMounted = await unmountContainer(engine, record.id, { force: flags.force });
    return wasMounted || !flags.all ? shown : undefined;
  });
});
