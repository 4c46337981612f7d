import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const systemConnectionListFace = defineFace({
  usage: '[options]',
  summary: 'List the destinations of remote services',
  flags: flagTable({
    format: { kind: 'string', short: 'f', help: 'Print by a Go template or as json' },
    quiet: { kind: 'bool', short: 'q', help: 'Print names only' },
  }),
  args: noArguments,
});
