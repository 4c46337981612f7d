import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const imageDiffFace = defineFace({
  usage: '[options] IMAGE [IMAGE]',
  summary: 'Show what the topmost layer of an image changes',
  description:
    'Show which files an image adds (A), changes (C) or deletes (D), against the layers below its topmost one or against another image.',
  examples: ['image diff myImage', 'image diff --format json redis:alpine'],
  flags: flagTable({ format: { kind: 'string', help: 'Print as json' } }),
  args: between(1, 2),
  complete: ['image', 'image', 'none'],
});
