import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FORCE, LONG_FILTER } from './shared.ts';

export const imagePruneFace = defineFace({
  usage: '[options]',
  summary: 'Remove unused images',
  examples: ['image prune', 'image prune --all --force'],
  flags: flagTable({
    ...FORCE,
    ...LONG_FILTER,
    all: { kind: 'bool', short: 'a', help: 'Remove all unused images, not only nameless ones' },
    'build-cache': { kind: 'bool', help: 'Remove what cache mounts of builds keep, too' },
    external: { kind: 'bool', help: 'Remove images that only containers of other tools use; there are none in this store' },
  }),
  args: noArguments,
});
