import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const quadletPrintFace = defineFace({
  usage: 'QUADLET',
  summary: 'Print a Quadlet file',
  examples: ['quadlet print web.container'],
  flags: {},
  args: exactly(1),
  complete: ['quadlet'],
});
