import { EngineError } from '../../core/errors.ts';
import { migrate } from '../../libpod/system/migrate.ts';
import { defineCommand } from '../command.ts';
import { systemMigrateFace } from '../faces/system-migrate.ts';

export const command = defineCommand(systemMigrateFace, async (context, _args, flags) => {
  if (flags['new-runtime'] !== undefined) throw new EngineError('NOT_SUPPORTED', '--new-runtime is not supported yet');
  await migrate(await context.openEngine());
});
