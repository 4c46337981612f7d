import { isEngineError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { secretExistsFace } from '../faces/secret-exists.ts';

export const command = defineCommand(secretExistsFace, async (context, [name = ''], _flags) => {
  const engine = await context.openEngine();
  try {
    engine.secrets.find(name);
    return 0;
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_SECRET')) return 1;
    throw error;
  }
});
