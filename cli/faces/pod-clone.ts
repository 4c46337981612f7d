import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { POD_CONTAINER } from './shared-pod.ts';

export const podCloneFace = defineFace({
  usage: '[options] POD NAME',
  summary: 'Make a copy of a pod',
  description: 'Make a new pod with copies of all containers of another one.',
  examples: ['pod clone pod_name new_name'],
  flags: flagTable({
    ...POD_CONTAINER,
    destroy: { kind: 'bool', help: 'Remove the original' },
    start: { kind: 'bool', help: 'Start the new pod' },
  }),
  args: between(1, 2),
  complete: ['pod', 'none'],
});
