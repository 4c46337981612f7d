import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const renameFace = defineFace({
  usage: 'CONTAINER NAME',
  summary: 'Rename a container',
  examples: ['rename oldName newName'],
  flags: {},
  args: exactly(2),
  complete: ['container', 'none'],
});
