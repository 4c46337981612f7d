import { podsOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { STOP_TIME } from './shared.ts';
import { POD_ID_FILES, POD_SELECTION } from './shared-pod.ts';

export const podRmFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Remove pods',
  examples: ['pod rm podID', 'pod rm --all'],
  flags: flagTable({
    ...POD_SELECTION,
    ...POD_ID_FILES,
    ...STOP_TIME,
    force: { kind: 'bool', short: 'f', help: 'Stop running containers first' },
    ignore: { kind: 'bool', short: 'i', help: 'A pod that does not exist is no error' },
  }),
  args: podsOrSelection,
  complete: ['pod'],
  exitCodes: { NO_SUCH_POD: 1 },
});
