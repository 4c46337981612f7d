import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { IMAGE_SOURCE } from './shared.ts';

export const manifestCreateFace = defineFace({
  usage: '[options] LIST [IMAGE...]',
  summary: 'Make a manifest list, of images or empty',
  examples: ['manifest create mylist:v1.11', 'manifest create mylist:v1.11 arch-specific-image-to-add'],
  flags: flagTable({
    all: { kind: 'bool', help: 'Add everything that a given index lists' },
    amend: { kind: 'bool', short: 'a', help: 'Add to a list that is there already' },
    annotation: { kind: 'stringArray', help: 'Annotation of the list (NAME=VALUE)' },
    'tls-verify': IMAGE_SOURCE['tls-verify'],
  }),
  args: atLeast(1),
  complete: ['image'],
});
