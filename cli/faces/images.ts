import { atMost } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER } from './shared.ts';

const SORT_KEYS = ['created', 'id', 'repository', 'size', 'tag'];

export const imagesFace = defineFace({
  usage: '[options] [IMAGE]',
  summary: 'List images',
  examples: [
    'images --format json',
    'images --sort repository --format "table {{.ID}} {{.Repository}} {{.Tag}}"',
    'images --filter dangling=true',
  ],
  flags: flagTable({
    ...FILTER,
    all: { kind: 'bool', short: 'a', help: 'Show intermediate images too' },
    digests: { kind: 'bool', help: 'Show digests' },
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    history: { kind: 'bool', help: 'Show earlier names' },
    'no-trunc': { kind: 'bool', help: 'Print ids in full' },
    noheading: { kind: 'bool', short: 'n', help: 'Leave out the heading' },
    quiet: { kind: 'bool', short: 'q', help: 'Print ids only' },
    sort: { kind: 'choice', choices: SORT_KEYS, help: `Sort by: ${SORT_KEYS.join(', ')}`, default: 'created' },
  }),
  args: atMost(1),
  complete: ['image', 'none'],
});
