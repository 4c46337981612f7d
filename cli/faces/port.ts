import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { SELECTION } from './shared.ts';

export const portFace = defineFace({
  usage: '[options] CONTAINER [PORT]',
  summary: 'Show published ports of a container',
  examples: ['port --all', 'port ctrID 80/tcp'],
  flags: flagTable({ ...SELECTION }),
  args: ({ args, flags }) => {
    const chosen = flags['all'] === true || flags['latest'] === true;
    if (flags['all'] === true && flags['latest'] === true) return '--all and --latest cannot be used together';
    if (flags['all'] === true && args.length > 0) return 'no arguments are needed with --all';
    if (args.length > 2) return '`port` accepts at most 2 arguments';
    return args.length === 0 && !chosen ? 'you must supply a running container name or id' : undefined;
  },
  complete: ['container', 'none'],
});
