import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FORCE, LONG_FILTER } from './shared.ts';

export const volumePruneFace = defineFace({
  usage: '[options]',
  summary: 'Remove unused volumes',
  flags: flagTable({ ...FORCE, ...LONG_FILTER }),
  args: noArguments,
});
