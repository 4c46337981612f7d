import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';

export const volumeMountFace = defineFace({
  usage: 'NAME',
  summary: 'Mount a volume and print where',
  description: 'Mount a volume and print where. Without root it is seen only inside `lichen unshare`.',
  examples: ['volume mount myvol'],
  flags: {},
  args: exactly(1),
  complete: ['volume', 'none'],
});
