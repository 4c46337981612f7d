import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';
import { oneOrTwoObjects } from '../arguments.ts';

export const diffFace = defineFace({
  usage: '[options] {CONTAINER|IMAGE} [{CONTAINER|IMAGE}]',
  summary: 'Show what a container or image changes',
  description:
    'Show which files a container or an image adds (A), changes (C) or deletes (D), against what it was made from or against another.',
  examples: ['diff imageID', 'diff ctrID', 'diff --format json redis:alpine'],
  flags: flagTable({ ...LATEST, format: { kind: 'string', help: 'Print as json' } }),
  args: oneOrTwoObjects,
  complete: ['container-or-image', 'container-or-image', 'none'],
});
