import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const containerExistsFace = defineFace({
  usage: '[options] CONTAINER',
  summary: 'Tell by exit status whether a container exists',
  description: 'Exit status 0 if the container exists, 1 if not.',
  examples: ['container exists ctrID'],
  flags: flagTable({ external: { kind: 'bool', help: 'Look at containers of other tools too' } }),
  args: exactly(1),
  complete: ['container', 'none'],
});
