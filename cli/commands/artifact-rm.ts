import { digestHex } from '../../core/digest.ts';
import { isEngineError } from '../../core/errors.ts';
import { removeArtifact } from '../../libpod/artifact/rows.ts';
import { defineCommand } from '../command.ts';
import { forEachName } from '../each.ts';
import { artifactRmFace } from '../faces/artifact-rm.ts';

export const command = defineCommand(artifactRmFace, async (context, names, flags) => {
  const engine = await context.openEngine();
  const wanted = flags.all ? engine.artifacts.list().map(({ name }) => name) : names;
  await forEachName(context, wanted, async (name) => {
    try {
      return digestHex((await removeArtifact(engine, name)).digest);
    } catch (error) {
      if ((flags.ignore || flags.all) && isEngineError(error, 'NO_SUCH_ARTIFACT')) return undefined;
      throw error;
    }
  });
});
