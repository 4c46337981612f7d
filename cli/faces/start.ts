import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { DETACH_KEYS, FILTER, LATEST } from './shared.ts';

export const startFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Start containers',
  examples: ['start --latest', 'start 860a4b231279 5421ab43b45', 'start --interactive --attach imageID'],
  flags: flagTable({
    ...DETACH_KEYS,
    ...FILTER,
    ...LATEST,
    'after-boot': { kind: 'bool', help: 'What is to be started after the boot and has not been', hidden: true },
    all: { kind: 'bool', help: 'Start all containers in any state' },
    attach: { kind: 'bool', short: 'a', help: 'Attach stdout and stderr' },
    interactive: { kind: 'bool', short: 'i', help: 'Attach stdin, where the container keeps it open' },
    'sig-proxy': { kind: 'bool', help: 'Pass signals on to the container (default true if attaching, false otherwise)' },
  }),
  args: ({ args, flags }) => {
    const all = flags['all'] === true;
    const latest = flags['latest'] === true;
    const filtered = Array.isArray(flags['filter']) && flags['filter'].length > 0;
    if (all && latest) return '--all and --latest cannot be used together';
    if (args.length > 0 && all) return 'either start all containers or the container(s) provided in the arguments';
    if (args.length > 0 && latest) return '--latest and containers cannot be used together';
    if (args.length === 0 && !all && !latest && !filtered) return 'start requires at least one argument';
    return args.length > 1 && flags['attach'] === true ? 'you cannot start and attach multiple containers at once' : undefined;
  },
  complete: ['container'],
});
