/** `network connect`, `disconnect` and `reload`: networks of containers that exist, running or not. */
import { EngineError } from '../../core/errors.ts';
import { log } from '../../core/log.ts';
import type { NetworkAttachment } from '../../network/backend.ts';
import { planLinks, plannedInterfaces, type BridgeAttachment, type BridgeLink } from '../../network/bridge/attachment.ts';
import { joinBridges, leaveBridges, type JoinedBridges } from '../../network/bridge/bridge.ts';
import { hostnameOf } from '../container/hostname.ts';
import { writeNetworkFiles } from '../container/files.ts';
import { lockAndRead } from '../container/lock.ts';
import { placesOf } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import type { NetworkEndpoint, NetworkMode } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { bridgeMachine, linkWish, networksInUse, takenAddresses } from './attach.ts';
import { notePending } from './pending.ts';
import { findNetwork, lockNetworks } from './store.ts';

/** Throws NO_SUCH_*, WRONG_STATE (it is in it already, or has no bridges), INVALID_ARGUMENT, IN_USE, NETWORK_SETUP; then nothing has changed. */
export async function connectNetwork(engine: Engine, container: string, asked: NetworkEndpoint): Promise<void> {
  const { lock, record } = await lockAndRead(engine, engine.containers.find(container).id);
  using _lock = lock;
  const networks = bridgesOf(record);
  const { name, id } = findNetwork(engine, asked.name);
  const endpoint = { ...asked, name };
  const { bridge } = record.network ?? {};
  if (networks.some((other) => other.name === name)) {
    // Podman says nothing of one that does not run.
    if (bridge === undefined) return;
    throw new EngineError(
      'WRONG_STATE',
      `container ${record.id} is already connected to network ${JSON.stringify(name)}: network is already connected`,
    );
  }
  using _networks = await lockNetworks(engine);
  findNetwork(engine, id);
  const changed = withNetworks(record, [...networks, endpoint]);
  if (bridge === undefined || record.network === undefined) {
    keep(engine, changed, name, 'connect');
    return;
  }
  const wish = linkWish(engine, record.config, endpoint);
  const links = planLinks(
    [wish],
    takenAddresses(engine),
    bridge.links.map(({ interfaceName }) => interfaceName),
  );
  const added: BridgeAttachment = { ...bridge, ports: [], links };
  using _note = notePending(engine, { container: record.id, network: name });
  const planned = withLinks(record.network, [...bridge.links, ...links], [...record.network.interfaces, ...plannedInterfaces(links)]);
  engine.db.transaction(() => engine.containers.change(record.id, { network: planned }));
  const machine = bridgeMachine(engine);
  try {
    const joined = await joinBridges(machine, added);
    const network = withServers(withLinks(planned, planned.bridge!.links, [...record.network.interfaces, ...joined.interfaces]), joined);
    keep(engine, { ...changed, network }, name, 'connect');
    writeFiles(engine, { ...changed, network });
  } catch (error) {
    await leaveBridges(machine, added, networksInUse(engine, record.id));
    engine.db.transaction(() => engine.containers.change(record.id, { network: record.network }));
    throw error;
  }
}

/** Throws NO_SUCH_*, WRONG_STATE (it is not in it, or has no bridges). */
export async function disconnectNetwork(engine: Engine, container: string, word: string): Promise<void> {
  const { lock, record } = await lockAndRead(engine, engine.containers.find(container).id);
  using _lock = lock;
  const networks = bridgesOf(record);
  const { name } = findNetwork(engine, word);
  if (!networks.some((other) => other.name === name)) {
    throw new EngineError('WRONG_STATE', `container ${container} is not connected to network ${name}`);
  }
  await leaveNetwork(engine, record, name);
}

/** For a caller that holds the container's lock. Idempotent: the container need not be in it, or only half. */
export async function leaveNetwork(engine: Engine, record: ContainerRecord, name: string): Promise<void> {
  using _networks = await lockNetworks(engine);
  const { network } = record;
  const changed = withNetworks(
    record,
    bridgesOf(record).filter((other) => other.name !== name),
  );
  const { bridge } = network ?? {};
  if (network === undefined || bridge === undefined) {
    keep(engine, changed, name, 'disconnect');
    return;
  }
  using _note = notePending(engine, { container: record.id, network: name });
  const gone = bridge.links.filter(({ definition }) => definition.name === name);
  const stay = bridge.links.filter(({ definition }) => definition.name !== name);
  await leaveBridges(bridgeMachine(engine), { ...bridge, ports: [], links: gone }, networksInUse(engine, record.id));
  const servers = new Set(gone.flatMap(({ definition }) => (definition.subnets ?? []).flatMap(({ gateway }) => gateway ?? [])));
  const left: NetworkAttachment = {
    ...withLinks(
      network,
      stay,
      network.interfaces.filter((link) => link.network !== name),
    ),
    nameservers: network.nameservers.filter((server) => !servers.has(server)),
  };
  keep(engine, { ...changed, network: left }, name, 'disconnect');
  writeFiles(engine, { ...changed, network: left });
}

/** Interfaces, rules and names are taken away and made again, with the addresses that they had. Throws WRONG_STATE, NETWORK_SETUP. */
export async function reloadNetworks(engine: Engine, container: string): Promise<void> {
  const { lock, record } = await lockAndRead(engine, engine.containers.find(container).id);
  using _lock = lock;
  const { network } = record;
  if (network?.bridge === undefined) {
    if (network !== undefined) return;
    throw new EngineError('WRONG_STATE', 'cannot reload network unless container network has been configured: container state improper');
  }
  using _networks = await lockNetworks(engine);
  const { bridge, interfaces } = network;
  const links = bridge.links.map((link): BridgeLink => {
    const mac = interfaces.find(({ name }) => name === link.interfaceName)?.mac;
    return mac === undefined ? link : { ...link, mac };
  });
  const machine = bridgeMachine(engine);
  // Rules that somebody has flushed are made again, too.
  await leaveBridges(machine, bridge, new Set());
  const joined = await joinBridges(machine, { ...bridge, links });
  const now = withServers({ ...network, nameservers: [], interfaces: joined.interfaces }, joined);
  engine.db.transaction(() => engine.containers.change(record.id, { network: now }));
  writeFiles(engine, { ...record, network: now });
}

function bridgesOf({ config }: ContainerRecord): readonly NetworkEndpoint[] {
  const { mode } = config.network;
  if (mode.kind === 'bridge') return mode.networks;
  throw new EngineError(
    'WRONG_STATE',
    `${JSON.stringify(mode.kind === 'pasta' || mode.kind === 'slirp4netns' ? mode.kind : '')} is not supported: invalid network mode`,
    {
      hint: 'Only containers that were made with --network NAME can be connected to networks and taken from them.',
    },
  );
}

function withNetworks(record: ContainerRecord, networks: readonly NetworkEndpoint[]): ContainerRecord {
  const mode: NetworkMode = { kind: 'bridge', networks };
  return { ...record, config: { ...record.config, network: { ...record.config.network, mode } } };
}

function withLinks(
  network: NetworkAttachment,
  links: readonly BridgeLink[],
  interfaces: NetworkAttachment['interfaces'],
): NetworkAttachment {
  return { ...network, bridge: { ...network.bridge!, links }, interfaces };
}

/** With the servers of networks that have been joined; those that know no names of containers only while there are no others. */
function withServers(network: NetworkAttachment, joined: JoinedBridges): NetworkAttachment {
  const hasOwn = network.searchDomains !== undefined && network.nameservers.length > 0;
  const known = hasOwn ? network.nameservers : [];
  if (joined.nameservers.length === 0) return hasOwn ? network : { ...network, nameservers: joined.outside.nameservers };
  return {
    ...network,
    nameservers: [...new Set([...known, ...joined.nameservers])],
    searchDomains: [...new Set([...(network.searchDomains ?? []), ...joined.searchDomains])],
  };
}

function keep(engine: Engine, { id, config, network }: ContainerRecord, name: string, status: 'connect' | 'disconnect'): void {
  engine.db.transaction(() => {
    engine.containers.reconfigure(id, config);
    engine.containers.change(id, { network });
    engine.events.add({ type: 'network', status, id, name, attributes: { container: id } });
  });
}

function writeFiles(engine: Engine, record: ContainerRecord): void {
  try {
    writeNetworkFiles(engine, record, placesOf(engine, record.id), record.network, hostnameOf(engine, record.config));
  } catch (error) {
    log.warn(`/etc/hosts and /etc/resolv.conf of ${record.name} stay as they are: ${(error as Error).message}`);
  }
}
