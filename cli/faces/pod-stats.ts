import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { POD_SELECTION } from './shared-pod.ts';

export const podStatsFace = defineFace({
  usage: '[options] [POD...]',
  summary: 'Show what the containers of pods use of the machine',
  examples: ['pod stats', 'pod stats a69b23034235 named-pod', 'pod stats --no-stream'],
  flags: flagTable({
    ...POD_SELECTION,
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    'no-reset': { kind: 'bool', help: 'Do not clear the screen between two looks' },
    'no-stream': { kind: 'bool', help: 'Look once' },
  }),
  args: complainIf(
    ({ args, flags }) => [flags['all'] === true, flags['latest'] === true, args.length > 0].filter(Boolean).length > 1,
    '--all, --latest and arguments cannot be used together',
  ),
  complete: ['pod'],
});
