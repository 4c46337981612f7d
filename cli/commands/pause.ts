import { pauseContainer } from '../../libpod/container/pause.ts';
import { defineCommand } from '../command.ts';
import { forEachAtOnce } from '../each.ts';
import { pauseFace } from '../faces/pause.ts';
import { selectByFlags } from '../selection.ts';

export const command = defineCommand(pauseFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const selected = selectByFlags(engine, names, flags).filter(({ record }) => !flags.all || record.status === 'running');
  await forEachAtOnce(context, selected, async ({ record, shown }) => {
    await pauseContainer(engine, record.id);
    return shown;
  });
});
