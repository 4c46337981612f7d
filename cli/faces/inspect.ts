import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { JSON_FORMAT, LATEST } from './shared.ts';

export const inspectFace = defineFace({
  usage: '[options] {CONTAINER|IMAGE|POD|NETWORK|VOLUME|ARTIFACT} [...]',
  summary: 'Show all that is known of objects',
  examples: ['inspect ctrID imageID', 'inspect --type image imageID', "inspect --format '{{.Id}} {{.Size}}' imageID"],
  flags: flagTable({
    ...JSON_FORMAT,
    ...LATEST,
    size: { kind: 'bool', short: 's', help: 'Show the size of containers' },
    type: {
      kind: 'string',
      short: 't',
      help: 'Look only for one kind ("all"|"artifact"|"container"|"image"|"network"|"pod"|"volume")',
      default: 'all',
    },
  }),
  args: ({ args, flags }) => {
    if (args.length > 0 && flags['latest'] === true) return '--latest and arguments cannot be used together';
    return args.length === 0 && flags['latest'] !== true ? 'no names or ids specified' : undefined;
  },
  complete: ['container-or-image'],
});
