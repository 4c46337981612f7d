import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const manifestExistsFace = defineFace({
  usage: 'MANIFEST',
  summary: 'Tell by exit status whether a manifest list exists',
  description: 'Exit status 0 if the list exists, 1 if not.',
  examples: ['manifest exists mylist'],
  flags: {},
  args: exactly(1),
  complete: ['image', 'none'],
});
