/** The network part of a ContainerWish. */
import { defined } from '../../libpod/spec/defined.ts';
import { isAddress } from '../../core/address.ts';
import { invalid } from '../../libpod/spec/parse/go.ts';
import {
  badMac,
  isMac,
  parseAddHost,
  parseDnsOption,
  parseDnsSearch,
  parseDnsServers,
  parseNetworks,
} from '../../libpod/spec/parse/network.ts';
import { parseExpose, parsePublish } from '../../libpod/spec/parse/ports.ts';
import type { NetworkMode, NetworkWish } from '../../libpod/spec/wish.ts';
import type { WishFlags } from './assemble.ts';

/** Throws INVALID_ARGUMENT. */
export function networkWish(flags: WishFlags): NetworkWish {
  const mode = withFixed(flags, parseNetworks(flags.network));
  if (flags['no-hosts'] && flags['add-host'].length > 0) throw invalid('--no-hosts and --add-host cannot be set together');
  if (flags['no-hosts'] && flags['hosts-file'] !== undefined) throw invalid('--no-hosts and --hosts-file cannot be set together');
  return {
    ...defined({
      mode,
      publishAll: flags['publish-all'] ? true : undefined,
      noHosts: flags['no-hosts'] ? true : undefined,
      hostsFile: flags['hosts-file'],
      noHostname: flags['no-hostname'] ? true : undefined,
    }),
    ports: flags.publish.map(parsePublish),
    expose: flags.expose.flatMap(parseExpose),
    dnsServers: parseDnsServers(flags.dns),
    dnsSearch: flags['dns-search'].map(parseDnsSearch),
    dnsOptions: flags['dns-option'].map(parseDnsOption),
    addHosts: flags['add-host'].map(parseAddHost),
  };
}

/** `--ip`, `--ip6`, `--mac-address` belong to the one network, `--network-alias` to all of them. Throws INVALID_ARGUMENT. */
function withFixed(flags: WishFlags, mode: NetworkMode | undefined): NetworkMode | undefined {
  const { ip, ip6, 'mac-address': mac, 'network-alias': aliases } = flags;
  const given = { ip, ip6, 'mac-address': mac, 'network-alias': aliases.length > 0 ? '' : undefined };
  const asked = Object.entries(given).filter(([, value]) => value !== undefined);
  if (asked.length === 0) return mode;
  for (const address of [ip, ip6])
    if (address !== undefined && !isAddress(address)) throw invalid(`${JSON.stringify(address)} is not an ip address`);
  if (mac !== undefined && !isMac(mac)) throw invalid(badMac(mac));
  if (mode === undefined)
    throw invalid('invalid config provided: networks and static ip/mac address can only be used with Bridge mode networking');
  if (mode.kind !== 'bridge') throw invalid(`--${asked[0]![0]} can only be set when the network mode is bridge: invalid argument`);
  const single = asked.find(([name]) => name !== 'network-alias');
  if (mode.networks.length > 1 && single) throw invalid(`--${single[0]} can only be set for a single network: invalid argument`);
  const networks = mode.networks.map((endpoint) => ({
    ...endpoint,
    ips: [...endpoint.ips, ...[ip, ip6].flatMap((address) => address ?? [])],
    aliases: [...endpoint.aliases, ...aliases],
    ...(mac === undefined ? {} : { mac: mac.toLowerCase() }),
  }));
  return { kind: 'bridge', networks };
}
