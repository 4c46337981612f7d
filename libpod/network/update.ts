/** `network update`: which servers a network's own one asks. */
import { EngineError } from '../../core/errors.ts';
import { parseAddress } from '../../network/bridge/address.ts';
import { writeDefinition } from '../../network/bridge/definition.ts';
import type { Engine } from '../engine.ts';
import { findNetwork, lockNetworks, networkDirectory } from './store.ts';

export interface NetworkChange {
  readonly addDns: readonly string[];
  readonly dropDns: readonly string[];
}

/** Throws NO_SUCH_NETWORK, INVALID_ARGUMENT. */
export async function updateNetwork(engine: Engine, word: string, { addDns, dropDns }: NetworkChange): Promise<void> {
  using _lock = await lockNetworks(engine);
  const network = findNetwork(engine, word);
  for (const [field, texts] of [
    ['AddDNSServer', addDns],
    ['RemoveDNSServer', dropDns],
  ] as const) {
    const wrong = texts.find((text) => parseAddress(text) === undefined);
    if (wrong !== undefined)
      throw new EngineError('INVALID_ARGUMENT', `unable to parse ip ${wrong} specified in ${field}: invalid argument`);
  }
  const servers = [...new Set([...(network.network_dns_servers ?? []), ...addDns])].filter((server) => !dropDns.includes(server));
  const { network_dns_servers: _old, ...rest } = network;
  const changed = servers.length === 0 ? rest : { ...rest, network_dns_servers: servers };
  writeDefinition(networkDirectory(engine), changed);
}
