import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST, LOGS } from './shared.ts';

export const logsFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Show the output of containers',
  description: 'Show what containers have written to stdout and stderr. With --follow, go on until they end.',
  examples: ['logs ctrID', 'logs --names ctrID1 ctrID2', 'logs --tail 2 mywebserver', 'logs --follow=true --since 10m ctrID'],
  flags: flagTable({ ...LATEST, ...LOGS }),
  args: ({ args, flags }) => {
    if (args.length > 0 && flags['latest'] === true) return '--latest and containers cannot be used together';
    return args.length === 0 && flags['latest'] !== true ? 'specify at least one container name or ID to log' : undefined;
  },
  complete: ['container'],
});
