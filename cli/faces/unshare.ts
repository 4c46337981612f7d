import { anyArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const unshareFace = defineFace({
  usage: '[options] [COMMAND [ARG...]]',
  summary: 'Run a command in the user namespace of the store',
  examples: ['unshare id', 'unshare cat /proc/self/uid_map', 'unshare --rootless-netns ip addr'],
  flags: flagTable({
    'rootless-netns': { kind: 'bool', help: 'Join the network namespace of bridge networks as well' },
  }),
  args: anyArguments,
  interspersed: false,
});
