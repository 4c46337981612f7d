import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const rmiFace = defineFace({
  usage: '[options] IMAGE [IMAGE...]',
  summary: 'Remove images',
  examples: ['rmi imageID', 'rmi --force alpine', 'rmi --all'],
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Remove all images' },
    force: { kind: 'bool', short: 'f', help: 'Remove containers of the image too' },
    ignore: { kind: 'bool', short: 'i', help: 'An image that does not exist is no error' },
    'no-prune': { kind: 'bool', help: 'Keep nameless parents' },
  }),
  args: ({ args, flags }) => {
    if (args.length === 0 && flags['all'] !== true) return 'image name or ID must be specified';
    return args.length > 0 && flags['all'] === true ? 'when using the --all switch, you may not pass any images names or IDs' : undefined;
  },
  complete: ['image'],
  exitCodes: { NO_SUCH_IMAGE: 1, IN_USE: 2 },
});
