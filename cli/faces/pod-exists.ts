import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const podExistsFace = defineFace({
  usage: 'POD',
  summary: 'Tell by exit status whether a pod exists',
  description: 'Exit status 0 if the pod exists, 1 if not.',
  examples: ['pod exists podID'],
  flags: {},
  args: exactly(1),
  complete: ['pod', 'none'],
});
