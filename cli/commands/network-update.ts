import { updateNetwork } from '../../libpod/network/update.ts';
import { defineCommand } from '../command.ts';
import { networkUpdateFace } from '../faces/network-update.ts';

export const command = defineCommand(networkUpdateFace, async (context, [name], flags) => {
  await updateNetwork(await context.openEngine(), name!, { addDns: flags['dns-add'], dropDns: flags['dns-drop'] });
  context.stdout.line(name!);
});
