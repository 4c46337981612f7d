import { complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { JSON_FORMAT } from './shared.ts';

export const imageInspectFace = defineFace({
  usage: '[options] IMAGE [IMAGE...]',
  summary: 'Show all that is known of images',
  examples: ['image inspect imageID', "image inspect --format '{{.Id}} {{.Size}}' imageID"],
  flags: flagTable({ ...JSON_FORMAT }),
  args: complainIf(({ args }) => args.length === 0, 'no names or ids specified'),
  complete: ['image'],
});
