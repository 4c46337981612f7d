import { prunableNetworks, pruneNetwork } from '../../libpod/network/prune.ts';
import { defineCommand } from '../command.ts';
import { confirm } from '../confirm.ts';
import { forEachName } from '../each.ts';
import { networkPruneFace } from '../faces/network-prune.ts';

export const command = defineCommand(networkPruneFace, async (context, _args, flags) => {
  if (!flags.force && !confirm(context, 'WARNING! This will remove all networks not used by at least one container.')) return;
  const engine = await context.openEngine();
  await forEachName(context, prunableNetworks(engine, flags.filter), (network) => pruneNetwork(engine, network));
});
