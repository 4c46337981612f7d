import { isEngineError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { volumeExistsFace } from '../faces/volume-exists.ts';

export const command = defineCommand(volumeExistsFace, async (context, [name], _flags) => {
  const engine = await context.openEngine();
  try {
    engine.volumes.find(name!);
    return 0;
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_VOLUME')) return 1;
    throw error;
  }
});
