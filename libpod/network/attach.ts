/**
 * A container's networks over a run of it. What it is to be in them is decided and put into its row under the lock of networks, then done: so no
 * address is given out twice, and whoever finds the row knows what to take back.
 */
import { join } from 'node:path';
import { shortId } from '../../core/id.ts';
import { managerScope } from '../../host/service-manager.ts';
import { createNetworkNamespace } from '../../host/namespaces.ts';
import type { Forwarder, NetworkAttachment } from '../../network/backend.ts';
import { plannedInterfaces, planLinks, type BridgeAttachment, type Leases, type LinkWish } from '../../network/bridge/attachment.ts';
import { joinBridges, leaveBridges, type BridgeMachine, type JoinedBridges } from '../../network/bridge/bridge.ts';
import type { PortRequest } from '../../network/bridge/ports.ts';
import { findPrograms } from '../../network/bridge/netavark.ts';
import { parseForwarder } from '../../network/forward/forward.ts';
import { joinPorts } from '../../network/ports.ts';
import type { ContainerId } from '../../core/id.ts';
import { hostnameOf } from '../container/hostname.ts';
import { networkMachine } from '../container/network.ts';
import type { ContainerPlaces } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { NetworkEndpoint } from '../spec/wish.ts';
import { findNetwork, lockNetworks } from './store.ts';
import { closeUnlessVisited } from './close.ts';

/** Throws HELPER_MISSING, NETWORK_SETUP, NO_SUCH_NETWORK, INVALID_ARGUMENT, IN_USE, NOT_SUPPORTED. What was begun is in the row. */
export async function attachNetworks(
  engine: Engine,
  config: ContainerConfig,
  { netns, run }: Pick<ContainerPlaces, 'netns' | 'run'>,
): Promise<NetworkAttachment> {
  const { mode, ports } = config.network;
  if (mode.kind !== 'bridge') throw new Error('no bridges are asked for');
  const machine = bridgeMachine(engine);
  findPrograms(machine.helperDirectories);
  using _lock = await lockNetworks(engine);
  const links = planLinks(
    mode.networks.map((endpoint) => linkWish(engine, config, endpoint)),
    takenAddresses(engine),
    [],
  );
  const bridge: BridgeAttachment = {
    netns,
    id: config.id,
    name: config.name,
    hostname: hostnameOf(engine, config),
    ports: joinPorts(ports),
    dnsServers: config.network.dnsServers,
    links,
  };
  const planned = attachmentOf(bridge, undefined, run);
  record(engine, config.id, planned);
  if (bridge.ports.length === 0) return attachmentOf(bridge, await joinBridges(machine, bridge), run);
  await createNetworkNamespace(netns);
  const forwarder = await publish(engine, machine, { netns, id: config.id, runDir: run, ports: bridge.ports });
  // From here on a killed start is undone with it.
  record(engine, config.id, { ...planned, forwarder });
  return { ...attachmentOf(bridge, await joinBridges(machine, bridge), run), forwarder };
}

async function publish({ options }: Engine, machine: BridgeMachine, request: PortRequest): Promise<Forwarder> {
  const { publishPorts } = await import('../../network/bridge/ports.ts');
  return publishPorts(machine, parseForwarder(options.env['LICHEN_PORT_FORWARDER']), request);
}

/** Leaves them all, and ends what they all share if nobody else is on a bridge. Idempotent; the row names no network afterwards. */
export async function detachNetworks(engine: Engine, id: ContainerId, { bridge }: NetworkAttachment): Promise<void> {
  if (bridge === undefined) return;
  using _lock = await lockNetworks(engine);
  const machine = bridgeMachine(engine);
  // With the namespace of all bridges goes everything in it.
  const isLast = attachments(engine).every((other) => other.bridge!.id === id);
  if (!(isLast && (await closeUnlessVisited(machine.directory)))) await leaveBridges(machine, bridge, networksInUse(engine, id));
  record(engine, id, undefined);
}

/** By containers other than `id`. */
export function networksInUse(engine: Engine, id: ContainerId): ReadonlySet<string> {
  const others = attachments(engine).filter(({ bridge }) => bridge!.id !== id);
  return new Set(others.flatMap(({ bridge }) => bridge!.links.map(({ definition }) => definition.name)));
}

export function attachmentOf(bridge: BridgeAttachment, joined: JoinedBridges | undefined, runDir: string): NetworkAttachment {
  const hostAddress = joined?.outside.hostAddress;
  const hasOwnServers = joined !== undefined && joined.nameservers.length > 0;
  return {
    backend: 'bridge',
    bridge,
    interfaces: joined?.interfaces ?? plannedInterfaces(bridge.links),
    nameservers: hasOwnServers ? joined.nameservers : (joined?.outside.nameservers ?? []),
    ...(hasOwnServers ? { searchDomains: joined.searchDomains } : {}),
    ...(hostAddress === undefined ? {} : { hostAddress }),
    hiddenAddresses: (joined?.outside.interfaces ?? []).flatMap(({ addresses }) => addresses.map((cidr) => cidr.replace(/\/.*$/, ''))),
    runDir,
  };
}

export function record(engine: Engine, id: ContainerId, network: NetworkAttachment | undefined): void {
  engine.db.transaction(() => engine.containers.change(id, { network }));
}

export function linkWish(engine: Engine, { id, hostname }: ContainerConfig, endpoint: NetworkEndpoint): LinkWish {
  const { name, ips, mac, aliases, interfaceName, options } = endpoint;
  return {
    definition: findNetwork(engine, name),
    ips,
    mac,
    aliases: [...new Set([...aliases, shortId(id), ...(hostname === undefined ? [] : [hostname])])],
    interfaceName,
    options,
  };
}

/** Of all containers that are in networks now. */
export function takenAddresses(engine: Engine): Leases {
  const taken = new Map<string, Set<string>>();
  for (const { interfaces } of attachments(engine)) {
    for (const { network = '', addresses } of interfaces) {
      const known = taken.get(network) ?? new Set();
      taken.set(network, known);
      for (const address of addresses) known.add(address.replace(/\/.*$/, ''));
    }
  }
  return taken;
}

function attachments(engine: Engine): readonly NetworkAttachment[] {
  return engine.containers.attachments().filter(({ bridge }) => bridge !== undefined);
}

export function bridgeMachine(engine: Engine): BridgeMachine {
  const { settings, identity, paths, options } = engine;
  return {
    ...networkMachine(engine),
    directory: join(paths.run, 'networks'),
    preferred: settings.defaults.rootlessNetwork,
    options: { pasta: settings.pastaOptions, slirp4netns: settings.slirpOptions },
    firewall: settings.bridges.firewall,
    dnsPort: settings.bridges.dnsPort,
    systemd: managerScope(identity, options.env) !== undefined,
  };
}
