import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const networkExistsFace = defineFace({
  usage: 'NETWORK',
  summary: 'Tell by exit status whether a network exists',
  description: 'Exit status 0 if the network exists, 1 if not.',
  examples: ['network exists net1'],
  flags: {},
  args: exactly(1),
  complete: ['network', 'none'],
});
