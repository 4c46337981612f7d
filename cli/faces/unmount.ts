import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LATEST } from './shared.ts';

export const unmountFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Unmount the root file systems of containers',
  description:
    'Take back as many mounts as were asked for: a root file system goes with the last one. One that its container runs in stays mounted.',
  examples: ['unmount ctrID', 'unmount ctrID1 ctrID2 ctrID3', 'unmount --all'],
  flags: flagTable({
    ...LATEST,
    all: { kind: 'bool', short: 'a', help: 'Unmount all containers that are mounted and do not run' },
    force: { kind: 'bool', short: 'f', help: 'Unmount however often it was mounted' },
  }),
  args: namesOrSelection,
  complete: ['container'],
});
