import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const systemConnectionRenameFace = defineFace({
  usage: 'OLD NEW',
  summary: 'Give a destination another name',
  flags: {},
  args: exactly(2),
});
