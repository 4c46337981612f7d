import { networkInterfaces } from 'node:os';
import { EngineError } from '../../core/errors.ts';
import { randomHex } from '../../host/random.ts';
import { writeDefinition, type NetworkDefinition } from '../../network/bridge/definition.ts';
import { DEFAULT_POOLS, planNetwork, type NetworkFacts, type NetworkWish } from '../../network/bridge/plan.ts';
import type { Engine } from '../engine.ts';
import { listNetworks, lockNetworks, networkDirectory } from './store.ts';

/** Words of `--network` that are no network's name. */
const MODES = ['bridge', 'container', 'default', 'host', 'none', 'ns', 'pasta', 'private', 'slirp4netns'];

/** With `ignore` a network of that name that is there already is the answer. Throws INVALID_ARGUMENT, NAME_IN_USE, CONFIG. */
export async function createNetwork(
  engine: Engine,
  wish: NetworkWish,
  { ignore }: { readonly ignore: boolean },
): Promise<NetworkDefinition> {
  if (wish.name !== undefined && MODES.includes(wish.name)) {
    throw new EngineError(
      'INVALID_ARGUMENT',
      `cannot create network with name ${JSON.stringify(wish.name)} because it conflicts with a valid network mode`,
    );
  }
  using _lock = await lockNetworks(engine);
  const existing = listNetworks(engine);
  const same = ignore ? existing.find(({ name }) => name === wish.name) : undefined;
  if (same) return same;
  const network = planNetwork(wish, factsOf(engine, existing));
  writeDefinition(networkDirectory(engine), network);
  engine.events.offer({ type: 'network', status: 'create', id: network.id, name: network.name, attributes: { driver: network.driver } });
  return network;
}

function factsOf(engine: Engine, existing: readonly NetworkDefinition[]): NetworkFacts {
  const host = Object.entries(networkInterfaces()).map(([name, entries = []]): [string, string[]] => [
    name,
    entries.flatMap(({ cidr, internal }) => (cidr === null || internal ? [] : [cidr])),
  ]);
  return {
    existing,
    hostInterfaces: new Map(host),
    pools: engine.settings.bridges.pools ?? DEFAULT_POOLS,
    created: new Date().toISOString(),
    random: randomHex,
  };
}
