import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FORCE, LONG_FILTER } from './shared.ts';

export const systemPruneFace = defineFace({
  usage: '[options]',
  summary: 'Remove what nothing uses',
  examples: ['system prune', 'system prune --all --volumes'],
  flags: flagTable({
    ...FORCE,
    ...LONG_FILTER,
    all: { kind: 'bool', short: 'a', help: 'Remove all unused images, not only nameless ones' },
    build: { kind: 'bool', help: 'Remove what cache mounts of builds keep, too, as --all does' },
    external: { kind: 'bool', help: 'Remove containers of other tools; there are none in this store' },
    volumes: { kind: 'bool', help: 'Remove unused volumes' },
  }),
  args: noArguments,
});
