import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import { DEFAULT_NETWORK } from '../spec/parse/network.ts';
import type { NetworkEndpoint, NetworkMode } from '../spec/wish.ts';
import { findNetwork } from './store.ts';

type BridgeMode = Extract<NetworkMode, { kind: 'bridge' }>;

/** Under their own names, whatever they were called by. Throws NO_SUCH_NETWORK, INVALID_ARGUMENT. */
export function wantedNetworks(engine: Engine, { networks }: BridgeMode): BridgeMode {
  const asked = networks.length > 0 ? networks : [{ name: DEFAULT_NETWORK, ips: [], aliases: [] }];
  const named = asked.map((endpoint): NetworkEndpoint => ({ ...endpoint, name: realName(engine, endpoint.name) }));
  const interfaces = named.flatMap(({ interfaceName }) => interfaceName ?? []);
  const twice = interfaces.find((name, index) => interfaces.indexOf(name) !== index);
  if (twice !== undefined)
    throw new EngineError('INVALID_ARGUMENT', `network interface name ${JSON.stringify(twice)} is already assigned to another network`);
  return { kind: 'bridge', networks: [...new Map(named.map((endpoint) => [endpoint.name, endpoint])).values()] };
}

function realName(engine: Engine, word: string): string {
  return word === DEFAULT_NETWORK ? engine.settings.bridges.network.name : findNetwork(engine, word).name;
}
