import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FORCE, LONG_FILTER } from './shared.ts';

export const containerPruneFace = defineFace({
  usage: '[options]',
  summary: 'Remove containers that do not run',
  examples: ['container prune', 'container prune --filter until=24h'],
  flags: flagTable({ ...FORCE, ...LONG_FILTER }),
  args: noArguments,
});
