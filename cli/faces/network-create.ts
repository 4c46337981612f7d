import { atMost } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const networkCreateFace = defineFace({
  usage: '[options] [NAME]',
  summary: 'Create a network',
  examples: ['network create podman1'],
  flags: flagTable({
    'disable-dns': { kind: 'bool', help: 'Containers do not find each other by name' },
    dns: { kind: 'strings', help: 'Name server for what is not a container (repeatable)' },
    driver: { kind: 'string', short: 'd', help: 'Driver ("bridge"|"macvlan"|"ipvlan")', default: 'bridge' },
    gateway: { kind: 'strings', help: 'Address of the gateway in the subnet before it' },
    ignore: { kind: 'bool', help: 'A network that exists already is no error' },
    'interface-name': { kind: 'string', help: 'Name of the bridge' },
    internal: { kind: 'bool', help: 'Nothing outside can be reached' },
    'ip-range': { kind: 'stringArray', help: 'Addresses that containers get (CIDR or START-END)' },
    'ipam-driver': { kind: 'string', help: 'Who gives addresses out ("host-local"|"dhcp"|"none")' },
    ipv6: { kind: 'bool', help: 'With a subnet of IPv6 too' },
    label: { kind: 'stringArray', help: 'Set a label (KEY=VALUE)' },
    opt: { kind: 'stringArray', short: 'o', help: 'Option of the driver (KEY=VALUE)' },
    route: { kind: 'stringArray', help: 'Route of the containers (DESTINATION,GATEWAY[,METRIC])' },
    subnet: { kind: 'stringArray', help: 'Subnet in CIDR notation' },
  }),
  args: atMost(1),
});
