import { EngineError, isEngineError } from '../../core/errors.ts';
import { removeVolume } from '../../libpod/volume/remove.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { volumeRmFace } from '../faces/volume-rm.ts';

export const command = defineCommand(volumeRmFace, async (context, names, flags) => {
  const { force, time } = flags;
  if (time !== undefined && !force) throw new EngineError('INVALID_ARGUMENT', '--force option must be specified to use the --time option');
  const engine = await context.openEngine();
  const wanted = flags.all ? engine.volumes.list().map(({ name }) => name) : names;
  await forEachName(context, wanted, async (word) => {
    try {
      const { name } = engine.volumes.find(word);
      await removeVolume(engine, name, { force, timeoutSeconds: time });
      return name;
    } catch (error) {
      if (force && isEngineError(error, 'NO_SUCH_VOLUME')) return undefined;
      throw error;
    }
  });
});
