/** NetworkSettings of `container inspect`, and the ports as HostConfig.PortBindings shows them. */
import { shortId } from '../../core/id.ts';
import type { JsonObject } from '../../core/json.ts';
import type { NetworkInterface } from '../../network/backend.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { ContainerInspectFacts } from './container.ts';
import { sorted } from './sorted.ts';

type Facts = Pick<ContainerInspectFacts, 'netns' | 'networkIds'>;

export function networkSettings(record: ContainerRecord, facts: Facts): JsonObject {
  const { config } = record;
  const { HairpinMode, LinkLocalIPv6Address, LinkLocalIPv6PrefixLen } = UNUSED;
  const networks = shownNetworks(record, facts);
  const exposed = config.network.expose.map((port) => [port, null]);
  return {
    ...address(undefined),
    Bridge: '',
    SandboxID: '',
    HairpinMode,
    LinkLocalIPv6Address,
    LinkLocalIPv6PrefixLen,
    Ports: sorted({ ...Object.fromEntries(exposed), ...portBindings(config) } as Record<string, JsonObject[] | null>),
    SandboxKey: facts.netns ?? '',
    ...portForwarder(record),
    ...(networks && { Networks: networks }),
  };
}

/** Ours: which programs listen on the host while the container runs. */
function portForwarder({ network }: ContainerRecord): JsonObject {
  const names = [network?.forwarder?.name, network?.holdsPorts ? network.backend : undefined].filter((name) => name !== undefined);
  return names.length > 0 ? { PortForwarder: names.join(',') } : {};
}

/** `80/tcp` → where it is published. */
export function portBindings(config: ContainerConfig): Record<string, JsonObject[]> {
  const bindings: Record<string, JsonObject[]> = {};
  for (const { hostIp, hostPort, containerPort, range, protocol } of config.network.ports) {
    for (let offset = 0; offset < range; offset++) {
      const key = `${containerPort + offset}/${protocol}`;
      (bindings[key] ??= []).push({ HostIp: hostIp === '' ? '0.0.0.0' : hostIp, HostPort: String(hostPort + offset) });
    }
  }
  return sorted(bindings);
}

/** Published and exposed ports together, as Config.ExposedPorts. */
export function exposedPorts(config: ContainerConfig): JsonObject {
  const ports = [...config.network.expose, ...Object.keys(portBindings(config))];
  return sorted(Object.fromEntries(ports.map((port) => [port, {}])));
}

const UNUSED = { HairpinMode: false, LinkLocalIPv6Address: '', LinkLocalIPv6PrefixLen: 0 };

/** User-mode networks are not named while they are up (Podman shows no address of theirs either). */
function shownNetworks(record: ContainerRecord, facts: Facts): JsonObject | undefined {
  const { mode } = record.config.network;
  switch (mode.kind) {
    case 'pasta':
    case 'slirp4netns':
      return record.network ? undefined : { [mode.kind]: endpoint(mode.kind, undefined) };
    case 'host':
    case 'none':
      return { [mode.kind]: endpoint(mode.kind, undefined) };
    case 'bridge': {
      if (mode.networks.length === 0) return { bridge: endpoint('bridge', undefined) };
      const own = [shortId(record.id), ...(record.config.hostname === undefined ? [] : [record.config.hostname])];
      const networks = mode.networks.map(({ name, aliases }) => [
        name,
        {
          ...endpoint(
            facts.networkIds[name] ?? '',
            record.network?.interfaces.find(({ network }) => network === name),
          ),
          Aliases: [...new Set([...aliases, ...own])],
        },
      ]);
      return sorted(Object.fromEntries(networks) as Record<string, JsonObject>);
    }
    default:
      return undefined;
  }
}

function endpoint(networkId: string, attached: NetworkInterface | undefined): JsonObject {
  return { ...address(attached), NetworkID: networkId, DriverOpts: null, IPAMConfig: null, Links: null };
}

function address(attached: NetworkInterface | undefined): JsonObject {
  const v4 = split(attached?.addresses.find((cidr) => !cidr.includes(':')));
  const v6 = split(attached?.addresses.find((cidr) => cidr.includes(':')));
  return {
    EndpointID: '',
    Gateway: attached?.gateways.find((gateway) => !gateway.includes(':')) ?? '',
    IPAddress: v4.ip,
    IPPrefixLen: v4.prefix,
    IPv6Gateway: attached?.gateways.find((gateway) => gateway.includes(':')) ?? '',
    GlobalIPv6Address: v6.ip,
    GlobalIPv6PrefixLen: v6.prefix,
    MacAddress: attached?.mac ?? '',
  };
}

function split(cidr: string | undefined): { readonly ip: string; readonly prefix: number } {
  const [ip = '', prefix = '0'] = (cidr ?? '').split('/');
  return { ip, prefix: Number(prefix) };
}
