/** Networks as `network ls` and `network inspect` show them: the definition's fields in Podman's order, and who is attached. Pure. */
import type { JsonObject } from '../../core/json.ts';
import type { NetworkDefinition } from '../../network/bridge/definition.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { sorted } from './sorted.ts';

export function networkDocument(network: NetworkDefinition): JsonObject {
  const { labels, options, ipam_options: ipam } = network;
  return {
    name: network.name,
    id: network.id,
    driver: network.driver,
    ...(network.network_interface ? { network_interface: network.network_interface } : {}),
    created: network.created,
    ...(network.subnets ? { subnets: network.subnets.map((subnet) => ({ ...subnet })) } : {}),
    ...(network.routes ? { routes: network.routes.map((route) => ({ ...route })) } : {}),
    ipv6_enabled: network.ipv6_enabled,
    internal: network.internal,
    dns_enabled: network.dns_enabled,
    ...(network.network_dns_servers ? { network_dns_servers: network.network_dns_servers } : {}),
    ...(labels ? { labels: sorted(labels) } : {}),
    ...(options ? { options: sorted(options) } : {}),
    ...(ipam ? { ipam_options: sorted(ipam) } : {}),
  };
}

/** With the containers that are attached now. */
export function inspectedNetwork(network: NetworkDefinition, containers: readonly ContainerRecord[]): JsonObject {
  const attached = containers.flatMap((record): [string, JsonObject][] => {
    const links = (record.network?.interfaces ?? []).filter((link) => link.network === network.name);
    if (links.length === 0) return [];
    const interfaces = links.map(({ name, mac, addresses, gateways }): [string, JsonObject] => [
      name,
      {
        subnets: addresses.map((ipnet) => {
          const gateway = gateways.find((address) => address.includes(':') === ipnet.includes(':'));
          return { ipnet, ...(gateway === undefined ? {} : { gateway }) };
        }),
        ...(mac === undefined ? {} : { mac_address: mac }),
      },
    ]);
    return [[record.id, { name: record.name, interfaces: Object.fromEntries(interfaces) }]];
  });
  return { ...networkDocument(network), containers: sorted(Object.fromEntries(attached)) };
}
