import { disconnectNetwork } from '../../libpod/network/connect.ts';
import { defineCommand } from '../command.ts';
import { networkDisconnectFace } from '../faces/network-disconnect.ts';

export const command = defineCommand(networkDisconnectFace, async (context, [network, container], _flags) => {
  await disconnectNetwork(await context.openEngine(), container!, network!);
});
