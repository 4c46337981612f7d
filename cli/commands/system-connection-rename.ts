import { Connections } from '../../libpod/system/connections.ts';
import { defineCommand } from '../command.ts';
import { systemConnectionRenameFace } from '../faces/system-connection-rename.ts';

export const command = defineCommand(systemConnectionRenameFace, async (context, [old = '', name = ''], _flags) => {
  const connections = new Connections((await context.openEngine()).paths.config, context.env);
  await connections.rename(old, name);
});
