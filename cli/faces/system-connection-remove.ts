import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const systemConnectionRemoveFace = defineFace({
  usage: '[options] NAME',
  summary: 'Forget a destination',
  flags: flagTable({ all: { kind: 'bool', short: 'a', help: 'Forget all' } }),
  args: ({ args, flags }) => (flags['all'] === true || args.length === 1 ? undefined : `accepts 1 arg(s), received ${args.length}`),
});
