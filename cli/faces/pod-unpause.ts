import { podsOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { POD_SELECTION } from './shared-pod.ts';

export const podUnpauseFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Let the processes of paused pods go on',
  examples: ['pod unpause podID', 'pod unpause --all'],
  flags: POD_SELECTION,
  args: podsOrSelection,
  complete: ['pod'],
});
