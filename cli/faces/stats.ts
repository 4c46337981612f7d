import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';

export const statsFace = defineFace({
  usage: '[options] [CONTAINER...]',
  summary: 'Show what containers use of the machine',
  examples: ['stats --all --no-stream', 'stats ctrID', 'stats --no-stream --format "table {{.ID}} {{.Name}} {{.MemUsage}}" ctrID'],
  flags: flagTable({
    ...LATEST,
    all: { kind: 'bool', short: 'a', help: 'Show containers that do not run, too' },
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    interval: { kind: 'int', short: 'i', help: 'Seconds between two looks', default: 5 },
    'no-reset': { kind: 'bool', help: 'Do not clear the screen before each look' },
    'no-stream': { kind: 'bool', help: 'Look once and end' },
    'no-trunc': { kind: 'bool', help: 'Print ids in full' },
  }),
  args: complainIf(
    ({ args, flags }) => [flags['all'] === true, flags['latest'] === true, args.length > 0].filter(Boolean).length > 1,
    '--all, --latest and containers cannot be used together',
  ),
  complete: ['running-container'],
});
