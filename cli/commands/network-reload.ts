import { reloadNetworks } from '../../libpod/network/connect.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { networkReloadFace } from '../faces/network-reload.ts';
import { selectByFlags } from '../selection.ts';

export const command = defineCommand(networkReloadFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const selected = selectByFlags(engine, names, flags).filter(({ record }) => !flags.all || record.network !== undefined);
  await forEachName(context, selected, async ({ record }) => {
    await reloadNetworks(engine, record.id);
    return record.id;
  });
});
