import { isEngineError } from '../../core/errors.ts';
import { removeSecret } from '../../libpod/secret/create.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { secretRmFace } from '../faces/secret-rm.ts';

export const command = defineCommand(secretRmFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const wanted = flags.all ? engine.secrets.list().map(({ id }) => id) : names;
  await forEachName(context, wanted, async (name) => {
    try {
      return await removeSecret(engine, name);
    } catch (error) {
      // Only one that we do not know is passed over, not one that an outside store does not give up.
      if (flags.ignore && isEngineError(error, 'NO_SUCH_SECRET') && error.message.startsWith('no secret with')) return undefined;
      throw error;
    }
  });
});
