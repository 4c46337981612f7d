import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const artifactLsFace = defineFace({
  usage: '[options]',
  summary: 'List artifacts',
  examples: ['artifact ls'],
  flags: flagTable({
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    'no-trunc': { kind: 'bool', help: 'Print digests in full' },
    noheading: { kind: 'bool', short: 'n', help: 'Leave out the heading' },
  }),
  args: noArguments,
});
