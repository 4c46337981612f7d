import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const networkConnectFace = defineFace({
  usage: '[options] NETWORK CONTAINER',
  summary: 'Connect a container to a network',
  examples: ['network connect web secondary'],
  flags: flagTable({
    alias: { kind: 'strings', help: 'Name of the container in the network' },
    ip: { kind: 'string', help: 'IPv4 address of the container' },
    ip6: { kind: 'string', help: 'IPv6 address of the container' },
    'mac-address': { kind: 'string', help: 'MAC address of the container' },
  }),
  args: exactly(2),
  complete: ['network', 'container', 'none'],
});
