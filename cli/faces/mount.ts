import { allOf, complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';

export const mountFace = defineFace({
  usage: '[options] [CONTAINER...]',
  summary: 'Mount the root file systems of containers',
  description: 'Mount the root file systems of the given containers and print where; without a name, list those that are mounted.',
  examples: ['mount ctrID', 'mount --all', 'mount --format json'],
  flags: flagTable({
    ...LATEST,
    all: { kind: 'bool', short: 'a', help: 'Mount all containers' },
    format: { kind: 'string', help: 'Print the list as json' },
    'no-trunc': { kind: 'bool', help: 'Print ids in full' },
  }),
  args: allOf(
    complainIf(({ flags }) => flags['all'] === true && flags['latest'] === true, '--all and --latest cannot be used together'),
    complainIf(({ args, flags }) => args.length > 0 && flags['all'] === true, 'no arguments are needed with --all'),
    complainIf(({ args, flags }) => args.length > 0 && flags['latest'] === true, '--latest and containers cannot be used together'),
  ),
  complete: ['container'],
});
