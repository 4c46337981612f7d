import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER, ID_FILES, SELECTION } from './shared.ts';

export const unpauseFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Let the processes of paused containers go on',
  examples: ['unpause ctrID', 'unpause --all'],
  flags: flagTable({ ...FILTER, ...ID_FILES, ...SELECTION }),
  args: namesOrSelection,
  complete: ['running-container'],
});
