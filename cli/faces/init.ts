import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { SELECTION } from './shared.ts';

export const initFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Prepare containers up to the point of starting them',
  examples: ['init ctrID', 'init ctrID1 ctrID2'],
  flags: flagTable({ ...SELECTION }),
  args: namesOrSelection,
  complete: ['container'],
});
