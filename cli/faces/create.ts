import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { CREATE_FLAGS } from '../wish/flags.ts';

export const createFace = defineFace({
  usage: '[options] IMAGE [COMMAND [ARG...]]',
  summary: 'Create a container without starting it',
  examples: ['create alpine ls', 'create --annotation HELLO=WORLD alpine ls', 'create -t -i --name myctr alpine ls'],
  flags: CREATE_FLAGS,
  args: atLeast(1),
  interspersed: false,
  complete: ['image', 'none'],
});
