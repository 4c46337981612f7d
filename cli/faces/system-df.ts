import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const systemDfFace = defineFace({
  usage: '[options]',
  summary: 'Show how much disk is used',
  examples: ['system df', 'system df --verbose', 'system df --format json'],
  flags: flagTable({
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
    verbose: { kind: 'bool', short: 'v', help: 'Show each image, container and volume' },
  }),
  args: noArguments,
});
