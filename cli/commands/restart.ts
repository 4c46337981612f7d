import { restartContainer } from '../../libpod/container/restart.ts';
import { defineCommand } from '../command.ts';
import { forEachAtOnce } from '../each.ts';
import { restartFace } from '../faces/restart.ts';
import { awaitReady } from '../ready.ts';
import { selectByFlags } from '../selection.ts';

export const command = defineCommand(restartFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const selected = selectByFlags(engine, names, flags).filter(({ record }) => !flags.running || record.status === 'running');
  await forEachAtOnce(context, selected, async ({ record, shown }) => {
    const { runCount } = await restartContainer(engine, record.id, flags.time);
    await awaitReady(engine, record, runCount);
    return shown;
  });
});
