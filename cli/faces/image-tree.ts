import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const imageTreeFace = defineFace({
  usage: '[options] IMAGE',
  summary: 'Show the layers of an image as a tree',
  examples: ['image tree alpine:latest', 'image tree --whatrequires alpine'],
  flags: flagTable({ whatrequires: { kind: 'bool', help: 'Show what is built on the image' } }),
  args: exactly(1),
  complete: ['image', 'none'],
});
