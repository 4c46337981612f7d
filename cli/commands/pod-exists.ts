import { isEngineError } from '../../core/errors.ts';
import { podTable } from '../../libpod/pod/rows.ts';
import { defineCommand } from '../command.ts';
import { podExistsFace } from '../faces/pod-exists.ts';

export const command = defineCommand(podExistsFace, async (context, [name], _flags) => {
  const engine = await context.openEngine();
  try {
    podTable(engine).find(name!);
    return 0;
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_POD')) return 1;
    throw error;
  }
});
