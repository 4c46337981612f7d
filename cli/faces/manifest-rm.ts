import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const manifestRmFace = defineFace({
  usage: '[options] LIST [LIST...]',
  summary: 'Remove manifest lists',
  examples: ['manifest rm mylist:v1.11'],
  flags: flagTable({ ignore: { kind: 'bool', short: 'i', help: 'A list that does not exist is no error' } }),
  args: atLeast(1),
  complete: ['image'],
  exitCodes: { NO_SUCH_IMAGE: 1 },
});
