import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { ENTRY } from './shared.ts';

export const manifestAnnotateFace = defineFace({
  usage: '[options] LIST IMAGEORARTIFACT',
  summary: 'Change what a manifest list says of an entry, or of itself',
  examples: [
    'manifest annotate --annotation left=right mylist:v1.11 sha256:15352d97781ffdf357bf3459c037be3efac4133dc9070c2dce7eca7c05c3e736',
  ],
  flags: flagTable({
    ...ENTRY,
    index: { kind: 'bool', help: 'Change the list itself, not an entry' },
    'os-features': { kind: 'strings', help: 'Features of the operating system that the entry needs' },
    subject: { kind: 'string', help: 'Image that the list is about (with --index)' },
  }),
  args: between(1, 2),
  complete: ['image'],
});
