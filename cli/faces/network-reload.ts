import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { SELECTION } from './shared.ts';

export const networkReloadFace = defineFace({
  usage: '[options] [CONTAINER...]',
  summary: 'Set the networks of running containers up anew',
  examples: ['network reload --latest', 'network reload 3c13ef6dd843', 'network reload test1 test2'],
  flags: SELECTION,
  args: namesOrSelection,
  complete: ['running-container'],
});
