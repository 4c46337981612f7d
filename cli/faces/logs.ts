import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';

export const logsFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Show the output of containers',
  description: 'Show what containers have written to stdout and stderr. With --follow, go on until they end.',
  examples: ['logs ctrID', 'logs --names ctrID1 ctrID2', 'logs --tail 2 mywebserver', 'logs --follow=true --since 10m ctrID'],
  flags: flagTable({
    ...LATEST,
    color: { kind: 'bool', help: 'A colour for each container' },
    follow: { kind: 'bool', short: 'f', help: 'Go on with what is written from now' },
    names: { kind: 'bool', short: 'n', help: 'Of several containers print the names instead of the ids' },
    since: { kind: 'string', help: 'Begin at this time, or so long ago' },
    tail: { kind: 'int', help: 'Only so many lines from the end, -1 for all', default: -1 },
    timestamps: { kind: 'bool', short: 't', help: 'Print the time of each line' },
    until: { kind: 'string', help: 'End at this time' },
  }),
  args: ({ args, flags }) => {
    if (args.length > 0 && flags['latest'] === true) return '--latest and containers cannot be used together';
    return args.length === 0 && flags['latest'] !== true ? 'specify at least one container name or ID to log' : undefined;
  },
  complete: ['container'],
});
