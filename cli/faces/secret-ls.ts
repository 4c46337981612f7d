import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER } from './shared.ts';

export const secretLsFace = defineFace({
  usage: '[options]',
  summary: 'List secrets',
  examples: ['secret ls', "secret ls --format '{{.Name}}'"],
  flags: flagTable({
    ...FILTER,
    format: { kind: 'string', help: 'Print by a Go template' },
    noheading: { kind: 'bool', short: 'n', help: 'Leave out the heading' },
    quiet: { kind: 'bool', short: 'q', help: 'Print ids only' },
  }),
  args: noArguments,
});
