import { oneOrTwoObjects } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';

export const containerDiffFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER]',
  summary: 'Show what a container changes',
  description: 'Show which files a container adds (A), changes (C) or deletes (D), against its image or against another container.',
  examples: ['container diff myCtr', 'container diff -l --format json'],
  flags: flagTable({ ...LATEST, format: { kind: 'string', help: 'Print as json' } }),
  args: oneOrTwoObjects,
  complete: ['container', 'container', 'none'],
});
