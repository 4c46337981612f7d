import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { RUN_FLAGS } from '../wish/flags.ts';

export const runFace = defineFace({
  usage: '[options] IMAGE [COMMAND [ARG...]]',
  summary: 'Run a command in a new container',
  examples: [
    'run imageID ls -alF /etc',
    'run --network=host imageID dnf -y install java',
    'run -v /var/hostdir:/var/ctrdir -it fedora /bin/bash',
  ],
  flags: RUN_FLAGS,
  args: atLeast(1),
  interspersed: false,
  complete: ['image', 'none'],
});
