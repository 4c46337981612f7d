import { podsOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { POD_SELECTION } from './shared-pod.ts';

export const podRestartFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Restart pods',
  examples: ['pod restart podID', 'pod restart --all'],
  flags: POD_SELECTION,
  args: podsOrSelection,
  complete: ['pod'],
});
