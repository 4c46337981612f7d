import { anyArguments } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { CHECKPOINT } from './shared.ts';

/** See checkpointFace. */
export const restoreFace = defineFace({
  usage: '[options] CONTAINER|IMAGE [CONTAINER|IMAGE...]',
  summary: 'Bring checkpointed containers back',
  examples: ['container restore ctrID', 'container restore --all'],
  flags: flagTable({
    ...CHECKPOINT,
    'ignore-static-ip': { kind: 'bool', help: 'Take any address' },
    'ignore-static-mac': { kind: 'bool', help: 'Take any MAC address' },
    import: { kind: 'string', short: 'i', help: 'Read the checkpoint from an archive', complete: 'file' },
    'import-previous': { kind: 'string', help: 'Read a pre-checkpoint from an archive', complete: 'file' },
    name: { kind: 'string', short: 'n', help: 'Name of the container made from an archive' },
    pod: { kind: 'string', help: 'Join a pod', complete: 'pod' },
    publish: { kind: 'strings', short: 'p', help: 'Publish a port' },
    'tcp-close': { kind: 'bool', help: 'Close TCP connections' },
  }),
  args: anyArguments,
  complete: ['container'],
});
