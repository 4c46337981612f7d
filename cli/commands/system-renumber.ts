import { defineCommand } from '../command.ts';
import { systemRenumberFace } from '../faces/system-renumber.ts';

/** Locks are locks on files: there is nothing to number. */
export const command = defineCommand(systemRenumberFace, async (context) => {
  await context.openEngine();
});
