import { exactly } from '../arguments.ts';
import { defineFace } from '../command.ts';
import { flagTable } from '../flag.ts';

export const systemConnectionAddFace = defineFace({
  usage: '[options] NAME DESTINATION',
  summary: 'Record where a remote service is',
  description: `DESTINATION is [user@]hostname, ssh://[user@]hostname[:port]/path, tcp://hostname:port or unix:///path.
It is written down for programs that use such services. lichen has no service, and connects to none.`,
  examples: [
    'system connection add build ssh://root@builder/run/podman/podman.sock',
    'system connection add --default local unix:///tmp/podman.sock',
  ],
  flags: flagTable({
    default: { kind: 'bool', short: 'd', help: 'Make it the default' },
    identity: { kind: 'string', help: 'File with the SSH key', complete: 'file' },
    port: { kind: 'int', short: 'p', help: 'Port of the service', shownDefault: '22' },
    'socket-path': { kind: 'string', help: 'Path of the socket on the host' },
    'tls-ca': { kind: 'string', help: 'File with the certificate authority', complete: 'file' },
    'tls-cert': { kind: 'string', help: 'File with the client certificate', complete: 'file' },
    'tls-key': { kind: 'string', help: 'File with the key of the client certificate', complete: 'file' },
  }),
  args: exactly(2),
});
