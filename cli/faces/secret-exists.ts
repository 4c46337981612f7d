import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const secretExistsFace = defineFace({
  usage: 'SECRET',
  summary: 'Tell by exit status whether a secret exists',
  description: 'Exit status 0 if the secret exists, 1 if not.',
  examples: ['secret exists mysecret'],
  flags: {},
  args: exactly(1),
  complete: ['secret', 'none'],
});
