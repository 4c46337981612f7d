import { anyArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const imageMountFace = defineFace({
  usage: '[options] [IMAGE...]',
  summary: 'Mount images',
  description: 'Mount the given images read-only and print where; without a name, list those that are mounted.',
  examples: ['image mount imgID', 'image mount imgID1 imgID2 imgID3', 'image mount', 'image mount --all'],
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Mount all images' },
    format: { kind: 'string', help: 'Print as json' },
  }),
  args: anyArguments,
  complete: ['image'],
});
