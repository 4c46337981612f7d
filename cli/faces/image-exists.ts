import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const imageExistsFace = defineFace({
  usage: 'IMAGE',
  summary: 'Tell by exit status whether an image exists',
  description: 'Exit status 0 if the image exists, 1 if not.',
  examples: ['image exists imageID'],
  flags: {},
  args: exactly(1),
  complete: ['image', 'none'],
});
