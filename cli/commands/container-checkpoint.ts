import { EngineError } from '../../core/errors.ts';
import { defineCommand } from '../command.ts';
import { checkpointFace } from '../faces/container-checkpoint.ts';

export const command = defineCommand(checkpointFace, async (context) => {
  const { identity } = await context.openEngine();
  if (identity.rootless)
    throw new EngineError('NOT_SUPPORTED', 'checkpointing a container requires root', {
      hint: 'CRIU cannot save processes of a user namespace.',
    });
  throw new EngineError('NOT_SUPPORTED', 'checkpointing a container needs CRIU, which lichen does not drive');
});
