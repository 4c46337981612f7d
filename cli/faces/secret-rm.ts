import type { ArgumentRule } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

const namesOrAll: ArgumentRule = ({ args, flags, path, program }) =>
  args.length > 0 === (flags['all'] === true) ? `\`${program} ${path}\` requires one argument, or the --all flag` : undefined;

export const secretRmFace = defineFace({
  usage: '[options] SECRET [SECRET...]',
  summary: 'Remove secrets',
  description: 'Remove secrets. Containers that were given one as a file keep it.',
  examples: ['secret rm mysecret1 mysecret2'],
  flags: flagTable({
    all: { kind: 'bool', short: 'a', help: 'Remove all secrets' },
    ignore: { kind: 'bool', short: 'i', help: 'A secret that does not exist is no error' },
  }),
  args: namesOrAll,
  complete: ['secret'],
});
