import { Connections } from '../../libpod/system/connections.ts';
import { defineCommand } from '../command.ts';
import { systemConnectionRemoveFace } from '../faces/system-connection-remove.ts';

export const command = defineCommand(systemConnectionRemoveFace, async (context, [name = ''], flags) => {
  const connections = new Connections((await context.openEngine()).paths.config, context.env);
  await (flags.all ? connections.clear() : connections.remove(name));
});
