import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const manifestRemoveFace = defineFace({
  usage: 'LIST DIGEST',
  summary: 'Take an entry from a manifest list',
  examples: ['manifest remove mylist:v1.11 sha256:15352d97781ffdf357bf3459c037be3efac4133dc9070c2dce7eca7c05c3e736'],
  flags: {},
  args: exactly(2),
  complete: ['image', 'none'],
});
