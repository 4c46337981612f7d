import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const networkInspectFace = defineFace({
  usage: '[options] NETWORK [NETWORK...]',
  summary: 'Show all that is known of networks',
  examples: ['network inspect podman'],
  flags: flagTable({ format: { kind: 'string', short: 'f', help: 'Print as JSON or by a Go template' } }),
  args: atLeast(1),
  complete: ['network'],
});
