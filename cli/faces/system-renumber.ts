import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const systemRenumberFace = defineFace({
  usage: '',
  summary: 'Give locks new numbers',
  description: 'Locks are files here, one for each object, and have no numbers: nothing changes.',
  flags: {},
  args: noArguments,
});
