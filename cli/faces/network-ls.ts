import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER } from './shared.ts';

export const networkLsFace = defineFace({
  usage: '[options]',
  summary: 'List networks',
  examples: ['network list'],
  flags: flagTable({
    ...FILTER,
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    'no-trunc': { kind: 'bool', help: 'Show whole ids' },
    noheading: { kind: 'bool', short: 'n', help: 'Leave out the heading' },
    quiet: { kind: 'bool', short: 'q', help: 'Print names only' },
  }),
  args: noArguments,
});
