import { namesOrSelection } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { CHECKPOINT } from './shared.ts';

/** The command ends in an error; its flags are read so that the error is about the machine and not about the command line. */
export const checkpointFace = defineFace({
  usage: '[options] CONTAINER [CONTAINER...]',
  summary: 'Write the state of running containers to the disk',
  examples: ['container checkpoint --keep ctrID', 'container checkpoint --all'],
  flags: flagTable({
    ...CHECKPOINT,
    compress: { kind: 'string', short: 'c', default: 'zstd', help: 'Compression of the archive (gzip, none, zstd)' },
    'create-image': { kind: 'string', help: 'Make an image of the checkpoint' },
    export: { kind: 'string', short: 'e', help: 'Write the checkpoint to an archive', complete: 'file' },
    'leave-running': { kind: 'bool', short: 'R', help: 'Let the container run on' },
    'pre-checkpoint': { kind: 'bool', short: 'P', help: 'Write memory only and let the container run on' },
    'with-previous': { kind: 'bool', help: 'Write what changed since a pre-checkpoint' },
  }),
  args: namesOrSelection,
  complete: ['running-container'],
});
