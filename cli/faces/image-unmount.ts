import { allOf, complainIf } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const imageUnmountFace = defineFace({
  usage: '[options] IMAGE [IMAGE...]',
  summary: 'Unmount images',
  description: 'Take back as many mounts as were asked for: the image is unmounted with the last one.',
  examples: ['image unmount imgID', 'image unmount imgID1 imgID2 imgID3', 'image unmount --all'],
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Unmount all images' },
    force: { kind: 'bool', short: 'f', help: 'Unmount however often it was mounted' },
  }),
  args: allOf(
    complainIf(({ args, flags }) => args.length === 0 && flags['all'] !== true, 'image name or ID must be specified'),
    complainIf(
      ({ args, flags }) => args.length > 0 && flags['all'] === true,
      'when using the --all switch, you may not pass any image names or IDs',
    ),
  ),
  complete: ['image'],
});
