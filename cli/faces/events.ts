import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER } from './shared.ts';

export const eventsFace = defineFace({
  usage: '[options]',
  summary: 'Show what happens to objects',
  examples: ['events', 'events --filter event=create', 'events --format {{.Image}}', 'events --since 1h30s'],
  flags: flagTable({
    ...FILTER,
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    'no-trunc': { kind: 'bool', help: 'Print ids in full', default: true },
    since: { kind: 'string', help: 'Begin at this time, or so long ago' },
    stream: { kind: 'bool', help: 'Wait for more when all past events are shown', default: true },
    until: { kind: 'string', help: 'End at this time' },
  }),
  args: noArguments,
});
