import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';

export const topFace = defineFace({
  usage: '[options] CONTAINER [FORMAT-DESCRIPTORS|ARGS...]',
  summary: 'Show the processes of a container',
  examples: ['top ctrID', 'top ctrID pid seccomp args %C', 'top ctrID -eo user,pid,comm'],
  flags: flagTable({ ...LATEST }),
  args: complainIf(
    ({ args, flags }) => args.length === 0 && flags['latest'] !== true,
    'you must provide the name or id of a running container',
  ),
  interspersed: false,
  complete: ['running-container', 'none'],
});
