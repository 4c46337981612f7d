import { podsOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { POD_SELECTION } from './shared-pod.ts';

export const podPauseFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Freeze the processes of pods',
  examples: ['pod pause podID', 'pod pause --all'],
  flags: POD_SELECTION,
  args: podsOrSelection,
  complete: ['pod'],
});
