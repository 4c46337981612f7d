import { Connections } from '../../libpod/system/connections.ts';
import { defineCommand } from '../command.ts';
import { systemConnectionDefaultFace } from '../faces/system-connection-default.ts';

export const command = defineCommand(systemConnectionDefaultFace, async (context, [name = ''], _flags) => {
  const connections = new Connections((await context.openEngine()).paths.config, context.env);
  await connections.setDefault(name);
});
