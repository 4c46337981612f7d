import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { FORCE, LONG_FILTER } from './shared.ts';

export const imagePruneFace = defineFace({
  usage: '[options]',
  summary: 'Remove unused images',
  flags: flagTable({
    ...FORCE,
    ...LONG_FILTER,
    all: { kind: 'bool', short: 'a', help: 'Remove all unused images, not only nameless ones' },
    'build-cache': { kind: 'bool', help: 'Remove caches of builds', unsupported: true },
    external: { kind: 'bool', help: 'Remove images of containers of other tools', unsupported: true },
  }),
  args: noArguments,
});
