/** The network part of a ContainerWish. */
import { EngineError } from '../../core/errors.ts';
import { defined } from '../../libpod/spec/defined.ts';
import { isAddress } from '../../libpod/spec/parse/address.ts';
import { invalid } from '../../libpod/spec/parse/go.ts';
import { parseAddHost, parseDnsOption, parseDnsSearch, parseDnsServers, parseNetworks } from '../../libpod/spec/parse/network.ts';
import { parseExpose, parsePublish } from '../../libpod/spec/parse/ports.ts';
import type { NetworkMode, NetworkWish } from '../../libpod/spec/wish.ts';
import type { WishFlags } from './assemble.ts';

/** Throws INVALID_ARGUMENT, NOT_SUPPORTED. */
export function networkWish(flags: WishFlags): NetworkWish {
  const mode = parseNetworks(flags.network);
  refuseFixedAddresses(flags, mode);
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

/** These need a bridge, and bridges cannot do them yet. */
function refuseFixedAddresses(flags: WishFlags, mode: NetworkMode | undefined): void {
  for (const name of ['ip', 'ip6', 'mac-address', 'network-alias'] as const) {
    const value = flags[name];
    if (value === undefined || value.length === 0) continue;
    if ((name === 'ip' || name === 'ip6') && !isAddress(value as string)) throw invalid(`${JSON.stringify(value)} is not an ip address`);
    if (mode?.kind !== 'bridge') throw invalid(`--${name} can only be set when the network mode is bridge: invalid argument`);
    throw new EngineError('NOT_SUPPORTED', `--${name} is not supported yet`);
  }
}
