import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { JSON_FORMAT, LATEST } from './shared.ts';

export const containerInspectFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Show all that is known of containers',
  examples: ['container inspect ctrID', "container inspect -l --format '{{.Id}} {{.Config.Labels}}'"],
  flags: flagTable({ ...JSON_FORMAT, ...LATEST, size: { kind: 'bool', short: 's', help: 'Show the size' } }),
  args: ({ args, flags }) => {
    if (args.length > 0 && flags['latest'] === true) return '--latest and arguments cannot be used together';
    return args.length === 0 && flags['latest'] !== true ? 'no names or ids specified' : undefined;
  },
  complete: ['container'],
});
