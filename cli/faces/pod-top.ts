import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST_POD } from './shared-pod.ts';

export const podTopFace = defineFace({
  usage: '[options] POD [FORMAT-DESCRIPTORS|ARGS...]',
  summary: 'Show the processes of the containers of a pod',
  examples: ['pod top podID', 'pod top podID pid comm args'],
  flags: flagTable({ ...LATEST_POD }),
  args: complainIf(({ args, flags }) => args.length === 0 && flags['latest'] !== true, 'you must provide the name or id of a running pod'),
  interspersed: false,
  complete: ['pod', 'none'],
});
