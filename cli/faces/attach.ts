import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { DETACH_KEYS, LATEST } from './shared.ts';

export const attachFace = defineFace({
  usage: '[options] CONTAINER',
  summary: 'Attach to a running container',
  examples: ['attach ctrID', 'attach --no-stdin ctrID'],
  flags: flagTable({
    ...DETACH_KEYS,
    ...LATEST,
    'no-stdin': { kind: 'bool', help: 'Leave stdin alone' },
    'sig-proxy': { kind: 'bool', help: 'Pass signals on to the container', default: true },
  }),
  args: ({ args, flags, program, path }) => {
    if (args.length > 1) return `\`${program} ${path}\` accepts at most one argument`;
    if (args.length === 0 && flags['latest'] !== true) return `"${program} ${path}" requires a name, id, or the "--latest" flag`;
    return args.length > 0 && flags['latest'] === true ? '--latest and containers cannot be used together' : undefined;
  },
  complete: ['running-container', 'none'],
});
