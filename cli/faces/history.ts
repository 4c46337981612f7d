import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const historyFace = defineFace({
  usage: '[options] IMAGE',
  summary: 'Show the steps an image was built in',
  examples: ['history quay.io/fedora/fedora', 'history --no-trunc --format "{{.CreatedBy}}" alpine'],
  flags: flagTable({
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    human: { kind: 'bool', short: 'H', help: 'Print ages instead of times', default: true },
    'no-trunc': { kind: 'bool', help: 'Print ids and steps in full' },
    quiet: { kind: 'bool', short: 'q', help: 'Print ids only' },
  }),
  args: exactly(1),
  complete: ['image', 'none'],
});
