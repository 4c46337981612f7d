import { isEngineError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { containerExistsFace } from '../faces/container-exists.ts';

export const command = defineCommand(containerExistsFace, async (context, [name = '']) => {
  const engine = await context.openEngine();
  try {
    engine.containers.find(name);
    return 0;
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_CONTAINER')) return 1;
    throw error;
  }
});
