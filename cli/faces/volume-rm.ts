import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { STOP_TIME } from './shared.ts';

export const volumeRmFace = defineFace({
  usage: '[options] VOLUME [VOLUME...]',
  summary: 'Remove volumes',
  examples: ['volume rm myvol1 myvol2', 'volume rm --all', 'volume rm --force myvol'],
  flags: flagTable({
    ...STOP_TIME,
    all: { kind: 'bool', short: 'a', help: 'Remove all volumes' },
    force: { kind: 'bool', short: 'f', help: 'Remove containers that use the volume too' },
  }),
  args: complainIf(({ args, flags }) => args.length > 0 === (flags['all'] === true), 'choose either one or more volumes or all'),
  complete: ['volume'],
  exitCodes: { NO_SUCH_VOLUME: 1, IN_USE: 2 },
});
