import { atLeast } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const generateQuadletFace = defineFace({
  usage: '[options] {CONTAINER|VOLUME|NETWORK} [...]',
  summary: 'Write Quadlet files for containers, volumes and networks',
  description:
    'Write Quadlet files by which systemd makes and runs what is there now. Several are written as one file for `quadlet install`.',
  examples: ['generate quadlet CTR', 'generate quadlet CTR VOLUME > app.quadlets', 'generate quadlet --files CTR VOLUME'],
  flags: flagTable({
    files: { kind: 'bool', short: 'f', help: 'Write a file for each into this directory' },
  }),
  args: atLeast(1),
  complete: ['container'],
});
