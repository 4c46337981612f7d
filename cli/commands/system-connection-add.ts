import { Connections, destinationOf } from '../../libpod/system/connections.ts';
import { defineCommand } from '../command.ts';
import { systemConnectionAddFace } from '../faces/system-connection-add.ts';

export const command = defineCommand(systemConnectionAddFace, async (context, [name = '', destination = ''], flags) => {
  const connections = new Connections((await context.openEngine()).paths.config, context.env);
  const wish = {
    destination,
    identity: flags.identity,
    port: flags.port,
    socketPath: flags['socket-path'],
    tls: { TLSCA: flags['tls-ca'], TLSCert: flags['tls-cert'], TLSKey: flags['tls-key'] },
  };
  await connections.add(name, destinationOf(wish), flags.default);
});
