import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FILTER, ID_FILES, SELECTION, STOP_TIME } from './shared.ts';

export const stopFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Stop running containers',
  description: "Send the container's stop signal, and SIGKILL to what still runs after --time seconds.",
  examples: ['stop ctrID', 'stop --time 2 wolfMoon'],
  flags: flagTable({
    ...FILTER,
    ...ID_FILES,
    ...SELECTION,
    ...STOP_TIME,
    ignore: { kind: 'bool', short: 'i', help: 'A container that does not exist is no error' },
    service: { kind: 'bool', help: 'The machine goes down: `unless-stopped` starts it again with the next boot', hidden: true },
  }),
  args: namesOrSelection,
  complete: ['running-container'],
});
