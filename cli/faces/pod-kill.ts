import { podsOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { POD_SELECTION } from './shared-pod.ts';

export const podKillFace = defineFace({
  usage: '[options] POD [POD...]',
  summary: 'Send a signal to the containers of pods',
  examples: ['pod kill podID', 'pod kill --all'],
  flags: flagTable({
    ...POD_SELECTION,
    signal: { kind: 'string', short: 's', help: 'Signal to send', default: 'KILL', complete: 'signal' },
  }),
  args: podsOrSelection,
  complete: ['pod'],
});
