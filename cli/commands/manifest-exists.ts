import { isEngineError } from '../../core/errors.ts';
import { findList } from '../../libpod/manifest/find.ts';
import { defineCommand } from '../command.ts';
import { manifestExistsFace } from '../faces/manifest-exists.ts';

export const command = defineCommand(manifestExistsFace, async (context, [name], _flags) => {
  try {
    await findList(await context.openEngine(), name!);
    return 0;
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_IMAGE')) return 1;
    throw error;
  }
});
