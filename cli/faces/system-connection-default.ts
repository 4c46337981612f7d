import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const systemConnectionDefaultFace = defineFace({
  usage: 'NAME',
  summary: 'Make a destination the default',
  flags: {},
  args: exactly(1),
});
