import { isEngineError } from '../../core/errors.ts';
import { findNetwork } from '../../libpod/network/store.ts';
import { defineCommand } from '../command.ts';
import { networkExistsFace } from '../faces/network-exists.ts';

export const command = defineCommand(networkExistsFace, async (context, [name], _flags) => {
  const engine = await context.openEngine();
  try {
    findNetwork(engine, name!);
    return 0;
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_NETWORK')) return 1;
    throw error;
  }
});
