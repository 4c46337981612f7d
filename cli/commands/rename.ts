import { renameContainer } from '../../libpod/container/rename.ts';
import { defineCommand } from '../command.ts';
import { renameFace } from '../faces/rename.ts';

export const command = defineCommand(renameFace, async (context, [container = '', name = '']) => {
  const engine = await context.openEngine();
  await renameContainer(engine, engine.containers.find(container).id, name);
});
