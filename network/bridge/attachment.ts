/** What a container is in its networks: decided before anything is made, so that it can be put on record first. Pure. */
import { EngineError } from '../../core/errors.ts';
import type { NetworkInterface, PortMapping } from '../backend.ts';
import { contains, firstAddress, formatAddress, lastAddress, parseAddress, parseSubnet, type Address, type Subnet } from './address.ts';
import type { NetworkDefinition, NetworkSubnet } from './definition.ts';

/** JSON-serialisable: with it the networks can be left again, whatever has become of their definitions. */
export interface BridgeAttachment {
  readonly netns: string;
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly ports: readonly PortMapping[];
  /** Asked for with `--dns`: the networks' own server asks these. */
  readonly dnsServers: readonly string[];
  readonly links: readonly BridgeLink[];
}

/** One network of a container. */
export interface BridgeLink {
  readonly definition: NetworkDefinition;
  readonly interfaceName: string;
  readonly addresses: readonly string[];
  readonly mac?: string;
  readonly aliases: readonly string[];
  readonly options?: Readonly<Record<string, string>>;
}

export interface LinkWish {
  readonly definition: NetworkDefinition;
  readonly ips: readonly string[];
  readonly mac?: string | undefined;
  readonly aliases: readonly string[];
  readonly interfaceName?: string | undefined;
  readonly options?: Readonly<Record<string, string>> | undefined;
}

/** Addresses that are taken, by the network's name. */
export type Leases = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Addresses and interfaces for each; `used` are interfaces that are there already.
 * Throws INVALID_ARGUMENT (an address outside of every subnet), IN_USE (an address that is taken, a subnet that has no more), NOT_SUPPORTED.
 */
export function planLinks(wishes: readonly LinkWish[], leases: Leases, used: readonly string[]): BridgeLink[] {
  const names = new Set([...used, ...wishes.flatMap(({ interfaceName }) => interfaceName ?? [])]);
  return wishes.map((wish) => {
    const { definition, aliases, mac, options } = wish;
    refuseDriver(definition);
    const interfaceName = wish.interfaceName ?? freeName(names);
    names.add(interfaceName);
    return {
      definition,
      interfaceName,
      addresses: addressesFor(wish, leases.get(definition.name) ?? new Set()),
      ...(mac === undefined ? {} : { mac }),
      aliases,
      ...(options === undefined ? {} : { options }),
    };
  });
}

/** They need an interface of the machine, which an ordinary user cannot hand on. */
function refuseDriver({ name, driver }: NetworkDefinition): void {
  if (driver === 'bridge') return;
  throw new EngineError('NOT_SUPPORTED', `network ${name}: containers cannot be attached to ${driver} networks without real root`, {
    hint: 'Use a bridge network, or --network pasta, which shows the container as the host.',
  });
}

function freeName(used: ReadonlySet<string>): string {
  for (let number = 0; ; number++) if (!used.has(`eth${number}`)) return `eth${number}`;
}

function addressesFor({ definition, ips }: LinkWish, taken: ReadonlySet<string>): string[] {
  const subnets = definition.subnets ?? [];
  const asked = ips.map((text) => parseAddress(text)!);
  for (const address of asked) {
    if (!subnets.some(({ subnet }) => contains(parseSubnet(subnet)!, address)))
      throw new EngineError(
        'INVALID_ARGUMENT',
        `requested static ip ${formatAddress(address)} not in any subnet on network ${definition.name}`,
      );
  }
  return subnets.map((subnet) => {
    const range = parseSubnet(subnet.subnet)!;
    const wanted = asked.find((address) => contains(range, address));
    const address = wanted === undefined ? freeAddress(definition, subnet, range, taken) : staticAddress(wanted, subnet, taken);
    return `${address}/${range.prefix}`;
  });
}

function staticAddress(wanted: Address, { gateway }: NetworkSubnet, taken: ReadonlySet<string>): string {
  const text = formatAddress(wanted);
  if (text === gateway || taken.has(text)) throw new EngineError('IN_USE', `IPAM error: requested ip address ${text} is already allocated`);
  return text;
}

function freeAddress(
  { name }: NetworkDefinition,
  { gateway, lease_range: lease, subnet }: NetworkSubnet,
  range: Subnet,
  taken: ReadonlySet<string>,
): string {
  const first = parseAddress(lease?.start_ip ?? '') ?? firstAddress(range);
  const last = parseAddress(lease?.end_ip ?? '') ?? lastAddress(range);
  // The last of an IPv4 subnet is for broadcasts, except where there are only two.
  const broadcast = range.family === 4 && range.prefix < 31 ? lastAddress(range).value : undefined;
  for (let { value } = first; value <= last.value; value++) {
    const text = formatAddress({ family: range.family, value });
    if (value !== broadcast && text !== gateway && !taken.has(text)) return text;
  }
  throw new EngineError(
    'IN_USE',
    `IPAM error: failed to find free IP in range: ${formatAddress(first)} - ${formatAddress(last)} of ${subnet} (network ${name})`,
    {
      hint: 'All addresses are given out: remove containers, or make a network with a larger subnet or --ip-range.',
    },
  );
}

/** As they will be: what is not known yet (a MAC address that nobody asked for) is left out. */
export function plannedInterfaces(links: readonly BridgeLink[]): NetworkInterface[] {
  return links.map(({ definition, interfaceName, addresses, mac }) => ({
    name: interfaceName,
    network: definition.name,
    ...(mac === undefined ? {} : { mac }),
    addresses,
    gateways: (definition.subnets ?? []).flatMap(({ gateway }) => (definition.internal ? [] : (gateway ?? []))),
  }));
}
