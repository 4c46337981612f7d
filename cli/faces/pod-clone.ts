import { between } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { POD_CONTAINER } from './shared-pod.ts';

/** What decides how the namespaces and mounts of an infra container come to be stays as it is in a clone. */
const kept = <F extends object>(flag: F): F & { readonly unsupported: true } => ({ ...flag, unsupported: true });

export const podCloneFace = defineFace({
  usage: '[options] POD NAME',
  summary: 'Make a copy of a pod',
  description: 'Make a new pod with copies of all containers of another one.',
  examples: ['pod clone pod_name new_name'],
  flags: flagTable({
    ...POD_CONTAINER,
    destroy: { kind: 'bool', help: 'Remove the original' },
    gidmap: kept(POD_CONTAINER.gidmap),
    gpus: kept(POD_CONTAINER.gpus),
    start: { kind: 'bool', help: 'Start the new pod' },
    subgidname: kept(POD_CONTAINER.subgidname),
    subuidname: kept(POD_CONTAINER.subuidname),
    uidmap: kept(POD_CONTAINER.uidmap),
    userns: kept(POD_CONTAINER.userns),
    volume: kept(POD_CONTAINER.volume),
    'volumes-from': kept(POD_CONTAINER['volumes-from']),
  }),
  args: between(1, 2),
  complete: ['pod', 'none'],
});
