import { podsOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { POD_ID_FILES, POD_SELECTION } from './shared-pod.ts';

export const podStartFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Start pods',
  examples: ['pod start podID', 'pod start --all'],
  flags: flagTable({
    ...POD_SELECTION,
    ...POD_ID_FILES,
  }),
  args: podsOrSelection,
  complete: ['pod'],
});
