import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { JSON_FORMAT } from './shared.ts';

export const artifactInspectFace = defineFace({
  usage: '[options] ARTIFACT',
  summary: 'Show all that is known of an artifact',
  examples: ['artifact inspect quay.io/myimage/myartifact:latest'],
  flags: flagTable({ ...JSON_FORMAT }),
  args: exactly(1),
  complete: ['artifact', 'none'],
});
