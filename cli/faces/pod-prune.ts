import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { FORCE } from './shared.ts';

export const podPruneFace = defineFace({
  usage: '[options]',
  summary: 'Remove pods that have ended',
  examples: ['pod prune'],
  flags: FORCE,
  args: noArguments,
});
