import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const loadFace = defineFace({
  usage: '[options]',
  summary: 'Load images from an archive',
  examples: ['load --input archive.tar', 'load < archive.tar'],
  flags: flagTable({
    input: { kind: 'string', short: 'i', help: 'Archive to read instead of stdin', complete: 'file' },
    quiet: { kind: 'bool', short: 'q', help: 'Print no progress' },
  }),
  args: noArguments,
});
