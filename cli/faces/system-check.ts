import { noArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const systemCheckFace = defineFace({
  usage: '[options]',
  summary: 'Look for damage in the store',
  description: `Look for missing and altered layers, documents and rows, and name each image and container that is damaged.

  With --repair, images are mended one by one, from what is here or from the registry they came from; containers are left alone.
  With --force, what cannot be mended is removed.`,
  examples: ['system check', 'system check --quick', 'system check --repair'],
  flags: flagTable({
    force: { kind: 'bool', short: 'f', help: 'Mend what can be mended, remove damaged images and containers that cannot' },
    max: {
      kind: 'duration',
      short: 'm',
      help: 'Age from which layers that nothing uses are damage',
      default: 24 * 3_600_000,
    },
    quick: { kind: 'bool', short: 'q', help: 'Leave out what takes time: the contents of layers' },
    repair: { kind: 'bool', short: 'r', help: 'Mend damaged images' },
  }),
  args: noArguments,
});
