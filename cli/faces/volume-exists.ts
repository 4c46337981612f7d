import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const volumeExistsFace = defineFace({
  usage: 'VOLUME',
  summary: 'Tell by exit status whether a volume exists',
  description: 'Exit status 0 if the volume exists, 1 if not.',
  examples: ['volume exists myvol'],
  flags: {},
  args: exactly(1),
  complete: ['volume', 'none'],
});
