import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const networkDisconnectFace = defineFace({
  usage: '[options] NETWORK CONTAINER',
  summary: 'Take a container from a network',
  examples: ['network disconnect web secondary'],
  flags: flagTable({ force: { kind: 'bool', short: 'f', help: 'Accepted for compatibility' } }),
  args: exactly(2),
  complete: ['network', 'container', 'none'],
});
