import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const quadletListFace = defineFace({
  usage: '[options]',
  summary: 'List Quadlet files',
  examples: ['quadlet list', "quadlet list --format '{{ .UnitName }}'", "quadlet list --filter 'name=test*'"],
  flags: flagTable({
    filter: { kind: 'stringArray', short: 'f', help: 'List only what matches (name=GLOB)' },
    format: { kind: 'string', help: 'Print as JSON or by a Go template' },
  }),
  args: noArguments,
});
