import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const secretInspectFace = defineFace({
  usage: '[options] SECRET [SECRET...]',
  summary: 'Show all that is known of secrets',
  examples: ['secret inspect mysecret', 'secret inspect --showsecret mysecret'],
  flags: flagTable({
    format: { kind: 'string', short: 'f', help: 'Print by a Go template' },
    pretty: { kind: 'bool', help: 'Print in a form for people' },
    showsecret: { kind: 'bool', help: 'Show the data too' },
  }),
  args: atLeast(1),
  complete: ['secret'],
});
