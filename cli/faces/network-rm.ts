import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { STOP_TIME } from './shared.ts';

export const networkRmFace = defineFace({
  usage: '[options] NETWORK [NETWORK...]',
  summary: 'Remove networks',
  examples: ['network rm podman'],
  flags: flagTable({ ...STOP_TIME, force: { kind: 'bool', short: 'f', help: 'Remove containers that use the network too' } }),
  args: atLeast(1),
  complete: ['network'],
  exitCodes: { NO_SUCH_NETWORK: 1, IN_USE: 2 },
});
