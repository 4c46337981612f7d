import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { ID_FILES, LONG_FILTER, SELECTION, STOP_TIME } from './shared.ts';

export const rmFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Remove containers',
  examples: ['rm ctrID', 'rm mywebserver myflaskserver 860a4b23', 'rm --force --all'],
  flags: flagTable({
    ...ID_FILES,
    ...LONG_FILTER,
    ...SELECTION,
    ...STOP_TIME,
    depend: { kind: 'bool', help: 'Remove the containers that depend on it too' },
    force: { kind: 'bool', short: 'f', help: 'Remove running and paused containers too' },
    ignore: { kind: 'bool', short: 'i', help: 'A container that does not exist is no error' },
    volumes: { kind: 'bool', short: 'v', help: 'Remove anonymous volumes of the container' },
  }),
  args: namesOrSelection,
  complete: ['container'],
  exitCodes: { NO_SUCH_CONTAINER: 1, WRONG_STATE: 2 },
});
