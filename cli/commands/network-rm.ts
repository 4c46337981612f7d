import { EngineError, isEngineError } from '../../core/errors.ts';
import { removeNetwork } from '../../libpod/network/remove.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { networkRmFace } from '../faces/network-rm.ts';

export const command = defineCommand(networkRmFace, async (context, names, flags) => {
  const { force, time } = flags;
  if (time !== undefined && !force) throw new EngineError('INVALID_ARGUMENT', '--force option must be specified to use the --time option');
  const engine = await context.openEngine();
  await forEachName(context, names, async (word) => {
    try {
      await removeNetwork(engine, word, { force, timeoutSeconds: time });
      return word;
    } catch (error) {
      if (force && isEngineError(error, 'NO_SUCH_NETWORK')) return undefined;
      throw error;
    }
  });
});
