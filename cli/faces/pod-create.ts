import { atMost } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';
import { CONTAINER_FLAGS } from '../wish/flags.ts';
import { POD_CONTAINER } from './shared-pod.ts';

const { 'add-host': addHost, dns, 'hosts-file': hostsFile, ip, ip6, network, publish } = CONTAINER_FLAGS;

export const podCreateFace = defineFace({
  usage: '[options] [NAME]',
  summary: 'Create a pod',
  description: 'Containers of a pod share namespaces with its infra container. The pod is not started.',
  examples: ['pod create', 'pod create --label foo=bar mypod', 'pod create --infra=false'],
  flags: flagTable({
    ...POD_CONTAINER,
    'add-host': addHost,
    dns,
    'dns-option': CONTAINER_FLAGS['dns-option'],
    'dns-search': CONTAINER_FLAGS['dns-search'],
    'exit-policy': { kind: 'string', help: 'What is done when the last container ends ("continue"|"stop")', default: 'continue' },
    'hosts-file': hostsFile,
    infra: { kind: 'bool', help: 'Make an infra container that holds the namespaces', default: true },
    'infra-image': { kind: 'string', help: 'Image of the infra container', complete: 'image' },
    ip,
    ip6,
    'mac-address': CONTAINER_FLAGS['mac-address'],
    network,
    'network-alias': CONTAINER_FLAGS['network-alias'],
    'no-hostname': CONTAINER_FLAGS['no-hostname'],
    'no-hosts': CONTAINER_FLAGS['no-hosts'],
    'pod-id-file': { kind: 'string', help: 'Write the id of the pod to a file', complete: 'file' },
    publish,
    replace: { kind: 'bool', help: 'Replace a pod of the same name' },
    share: { kind: 'string', help: 'Namespaces that containers of the pod share ("+": besides the usual ones)', default: 'ipc,net,uts' },
    'share-parent': { kind: 'bool', help: 'Put the cgroups of the containers below one of the pod', default: true },
  }),
  args: atMost(1),
});
