import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { LIMIT_FLAGS } from '../wish/limits.ts';

export const containerCloneFace = defineFace({
  usage: '[options] CONTAINER NAME IMAGE',
  summary: 'Make a copy of a container',
  description: 'Make a new container with the configuration of another one, under another name, with other limits or from another image.',
  examples: ['container clone container_name new_name', 'container clone container_name new_name image_name'],
  flags: flagTable({
    ...LIMIT_FLAGS,
    destroy: { kind: 'bool', help: 'Remove the original' },
    force: { kind: 'bool', short: 'f', help: 'Stop the original first where it runs (with --destroy)' },
    name: { kind: 'string', help: 'Name of the new container' },
    pod: { kind: 'string', help: 'Join a pod: its namespaces take the place of those the original had', complete: 'pod' },
    run: { kind: 'bool', help: 'Start the new container' },
  }),
  args: between(1, 3),
  complete: ['container', 'none', 'image'],
});
