import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const systemMigrateFace = defineFace({
  usage: '[options]',
  summary: 'Move containers to a new version or runtime',
  flags: flagTable({
    'migrate-db': { kind: 'bool', help: 'Accepted for compatibility, does nothing' },
    'new-runtime': { kind: 'string', help: 'OCI runtime for all containers' },
  }),
  args: noArguments,
});
