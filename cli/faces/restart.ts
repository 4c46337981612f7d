import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER, ID_FILES, SELECTION, STOP_TIME } from './shared.ts';

export const restartFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Stop and start containers',
  examples: ['restart ctrID', 'restart ctrID1 ctrID2'],
  flags: flagTable({
    ...FILTER,
    ...ID_FILES,
    ...SELECTION,
    ...STOP_TIME,
    running: { kind: 'bool', help: 'Restart only running containers' },
  }),
  args: namesOrSelection,
  complete: ['container'],
});
