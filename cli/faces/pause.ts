import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER, ID_FILES, SELECTION } from './shared.ts';

export const pauseFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Freeze the processes of containers',
  examples: ['pause ctrID', 'pause --all'],
  flags: flagTable({ ...FILTER, ...ID_FILES, ...SELECTION }),
  args: namesOrSelection,
  complete: ['running-container'],
});
