import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FORCE, LONG_FILTER } from './shared.ts';

export const networkPruneFace = defineFace({
  usage: '[options]',
  summary: 'Remove unused networks',
  examples: ['network prune'],
  flags: flagTable({ ...FORCE, ...LONG_FILTER }),
  args: noArguments,
});
