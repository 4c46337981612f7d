import { EngineError } from '../../core/errors.ts';
import { connectNetwork } from '../../libpod/network/connect.ts';
import { isIpv4, isIpv6 } from '../../core/address.ts';
import { badMac, isMac } from '../../libpod/spec/parse/network.ts';
import { defineCommand } from '../command.ts';
import { networkConnectFace } from '../faces/network-connect.ts';

export const command = defineCommand(networkConnectFace, async (context, [network, container], flags) => {
  const { alias: aliases, ip, ip6, 'mac-address': mac } = flags;
  for (const [flag, address] of Object.entries({ ip, ip6 })) {
    if (address === undefined || isIpv4(address) || isIpv6(address)) continue;
    const message = `invalid argument ${JSON.stringify(address)} for "--${flag}" flag: failed to parse IP: ${JSON.stringify(address)}`;
    throw new EngineError('USAGE', message, { hint: `See '${context.program} ${context.path} --help'` });
  }
  if (mac !== undefined && !isMac(mac)) throw new EngineError('INVALID_ARGUMENT', badMac(mac));
  await connectNetwork(await context.openEngine(), container!, {
    name: network!,
    ips: [ip, ip6].flatMap((address) => address ?? []),
    aliases,
    ...(mac === undefined ? {} : { mac: mac.toLowerCase() }),
  });
});
