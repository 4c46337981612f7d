import { unpauseContainer } from '../../libpod/container/pause.ts';
import { defineCommand } from '../command.ts';
import { forEachAtOnce } from '../each.ts';
import { unpauseFace } from '../faces/unpause.ts';
import { selectByFlags } from '../selection.ts';

export const command = defineCommand(unpauseFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const selected = selectByFlags(engine, names, flags).filter(({ record }) => !flags.all || record.status === 'paused');
  await forEachAtOnce(context, selected, async ({ record, shown }) => {
    await unpauseContainer(engine, record.id);
    return shown;
  });
});
