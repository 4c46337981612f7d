import { EngineError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { restoreFace } from '../faces/container-restore.ts';

export const command = defineCommand(restoreFace, async (context) => {
  const { identity } = await context.openEngine();
  if (identity.rootless)
    throw new EngineError('NOT_SUPPORTED', 'restoring a container requires root', {
      hint: 'CRIU cannot restore processes into a user namespace.',
    });
  throw new EngineError('NOT_SUPPORTED', 'restoring a container needs CRIU, which lichen does not drive');
});
