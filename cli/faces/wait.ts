import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';

export const waitFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Wait until containers end, print their exit status',
  examples: ['wait --interval 5s ctrID', 'wait --condition running ctrID'],
  flags: flagTable({
    ...LATEST,
    condition: { kind: 'strings', help: 'State to wait for instead of stopped or exited' },
    'exit-first-match': { kind: 'bool', help: 'End when the first of several containers is there' },
    ignore: { kind: 'bool', help: 'A container that does not exist has status -1' },
    interval: { kind: 'string', short: 'i', help: 'Time between two looks', default: '250ms' },
  }),
  args: ({ args, flags, program, path }) => {
    if (args.length > 0 && flags['latest'] === true) return '--latest and containers cannot be used together';
    return args.length === 0 && flags['latest'] !== true ? `"${program} ${path}" requires a name, id, or the "--latest" flag` : undefined;
  },
  complete: ['container'],
});
