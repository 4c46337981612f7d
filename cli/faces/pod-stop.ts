import { podsOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { STOP_TIME } from './shared.ts';
import { POD_ID_FILES, POD_SELECTION } from './shared-pod.ts';

export const podStopFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Stop pods',
  examples: ['pod stop podID', 'pod stop --all'],
  flags: flagTable({
    ...POD_SELECTION,
    ...POD_ID_FILES,
    ...STOP_TIME,
    ignore: { kind: 'bool', short: 'i', help: 'A pod that does not exist is no error' },
    service: { kind: 'bool', help: 'The machine goes down: `unless-stopped` starts containers again with the next boot', hidden: true },
  }),
  args: podsOrSelection,
  complete: ['pod'],
});
