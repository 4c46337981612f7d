/** From what `network create` was asked for to a definition: every default is decided here, and everything that cannot be is refused. Pure. */
import { EngineError } from '../../core/errors.ts';
import {
  contains,
  firstAddress,
  formatAddress,
  formatSubnet,
  lastAddress,
  nextSubnet,
  overlaps,
  parseAddress,
  parseSubnet,
  type Subnet,
} from './address.ts';
import type { NetworkDefinition, NetworkRoute, NetworkSubnet } from './definition.ts';
import { driverOptions, DRIVERS, type Driver } from './options.ts';

export interface NetworkWish {
  /** Absent: that of the interface. */
  readonly name?: string | undefined;
  readonly driver: string;
  readonly subnets: readonly SubnetWish[];
  readonly routes: readonly NetworkRoute[];
  readonly ipv6: boolean;
  readonly internal: boolean;
  readonly disableDns: boolean;
  readonly dnsServers: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly options: Readonly<Record<string, string>>;
  readonly interfaceName?: string | undefined;
  readonly ipamDriver?: string | undefined;
}

export interface SubnetWish {
  readonly subnet: Subnet;
  readonly gateway?: string | undefined;
  readonly range?: { readonly start: string; readonly end: string } | undefined;
}

/** Where new networks may lie: `size` is the prefix length of each. */
export interface SubnetPool {
  readonly base: string;
  readonly size: number;
}

export interface NetworkFacts {
  readonly existing: readonly NetworkDefinition[];
  /** Of this machine, by name, each with its addresses in CIDR notation. */
  readonly hostInterfaces: ReadonlyMap<string, readonly string[]>;
  readonly pools: readonly SubnetPool[];
  readonly created: string;
  /** Hexadecimal digits, `bytes` times two; new ones with each call. */
  readonly random: (bytes: number) => string;
}

const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;
const MAX_INTERFACE_NAME = 15;

/** Throws INVALID_ARGUMENT, NAME_IN_USE, CONFIG (a pool that is none). */
export function planNetwork(wish: NetworkWish, facts: NetworkFacts): NetworkDefinition {
  const { name: asked, driver: word } = wish;
  if (asked !== undefined) checkName(asked, facts);
  if (!DRIVERS.includes(word)) throw invalid(`failed to find driver or plugin ${JSON.stringify(word)}`);
  const driver = word as Driver;
  const { options, interfaceName: optional } = driverOptions(driver, wish.options);
  const link = interfaceOf(driver, wish.interfaceName ?? optional, facts);
  const name = asked ?? (driver === 'bridge' ? freeName(link!, facts) : freeInterface(facts));
  const ipam = ipamDriver(driver, wish);
  const subnets = ipam === 'host-local' ? planSubnets(driver, wish, facts) : [];
  const hasDns = driver === 'bridge' && ipam !== 'none' && !wish.disableDns;
  checkDns(wish, hasDns);
  return {
    name,
    id: facts.random(32),
    driver,
    ...(link === undefined ? {} : { network_interface: link }),
    created: facts.created,
    ...(subnets.length > 0 ? { subnets } : {}),
    ...(wish.routes.length > 0 ? { routes: wish.routes } : {}),
    ipv6_enabled: wish.ipv6 || subnets.some(({ subnet }) => subnet.includes(':')),
    internal: wish.internal,
    dns_enabled: hasDns,
    ...(wish.dnsServers.length > 0 ? { network_dns_servers: wish.dnsServers } : {}),
    ...(Object.keys(wish.labels).length > 0 ? { labels: wish.labels } : {}),
    ...(Object.keys(options).length > 0 ? { options } : {}),
    ipam_options: { driver: ipam },
  };
}

function checkName(name: string, { existing }: NetworkFacts): void {
  if (!NAME.test(name)) throw invalid(`network name ${name} invalid: names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument`);
  if (existing.some((network) => network.name === name))
    throw new EngineError('NAME_IN_USE', `network name ${name} already used: network already exists`);
}

/** A bridge gets one of its own; the other drivers sit on one of the machine, and choose it themselves where none was asked for. */
function interfaceOf(driver: Driver, asked: string | undefined, facts: NetworkFacts): string | undefined {
  if (asked !== undefined) checkInterfaceName(asked);
  if (driver !== 'bridge') {
    if (asked !== undefined && !facts.hostInterfaces.has(asked)) throw invalid(`parent interface ${asked} does not exist`);
    return asked;
  }
  if (asked !== undefined && usedInterfaces(facts).has(asked)) throw invalid(`bridge name ${asked} already in use`);
  return asked ?? freeInterface(facts);
}

function checkInterfaceName(name: string): void {
  const start = `network interface name ${name} invalid: interface name`;
  if (name.length > MAX_INTERFACE_NAME)
    throw invalid(`${start} is too long: interface names must be 15 characters or less: invalid argument`);
  if (/[/:\s]/.test(name)) throw invalid(`${start} contains / or : or whitespace characters: invalid argument`);
  if (name === '' || name === '.' || name === '..') throw invalid(`${start} is . or ..: invalid argument`);
}

function usedInterfaces({ existing, hostInterfaces }: NetworkFacts): Set<string> {
  const bridges = existing.filter(({ driver }) => driver === 'bridge').map(({ network_interface: name }) => name ?? '');
  return new Set([...bridges, ...hostInterfaces.keys()]);
}

function freeInterface(facts: NetworkFacts): string {
  const used = new Set([...usedInterfaces(facts), ...facts.existing.map(({ name }) => name)]);
  for (let number = 1; ; number++) if (!used.has(`podman${number}`)) return `podman${number}`;
}

function freeName(link: string, facts: NetworkFacts): string {
  return facts.existing.some(({ name }) => name === link) ? freeInterface(facts) : link;
}

function ipamDriver(driver: Driver, { ipamDriver: asked = '', subnets }: NetworkWish): string {
  if (!['', 'host-local', 'none', 'dhcp'].includes(asked)) throw invalid(`unsupported ipam driver ${JSON.stringify(asked)}`);
  if (asked === 'none' && subnets.length > 0) throw invalid('none ipam driver is set but subnets are given');
  const chosen = asked !== '' ? asked : subnets.length > 0 || driver === 'bridge' ? 'host-local' : 'dhcp';
  if (chosen === 'dhcp' && driver === 'ipvlan') throw invalid('ipam driver dhcp is not supported with ipvlan');
  if (chosen === 'dhcp' && subnets.length > 0) throw invalid('ipam driver dhcp set but subnets are set');
  if (chosen === 'host-local' && subnets.length === 0 && driver !== 'bridge')
    throw invalid(`${driver} driver needs at least one subnet specified when the host-local ipam driver is set`);
  return chosen;
}

function planSubnets(driver: Driver, wish: NetworkWish, facts: NetworkFacts): NetworkSubnet[] {
  const used = [
    ...facts.existing.flatMap(({ subnets = [] }) => subnets.map(({ subnet }) => subnet)),
    ...[...facts.hostInterfaces.values()].flat(),
  ].flatMap((text) => parseSubnet(text) ?? []);
  const planned: NetworkSubnet[] = [];
  for (const { subnet, gateway, range } of wish.subnets) {
    if (driver === 'bridge' && used.some((other) => overlaps(other, subnet)))
      throw invalid(`subnet ${formatSubnet(subnet)} is already used on the host or by another config`);
    used.push(subnet);
    planned.push(planSubnet(subnet, gateway, range));
  }
  if (driver !== 'bridge') return planned;
  const families = new Set(wish.subnets.map(({ subnet }) => subnet.family));
  if (families.size === 0 || (wish.ipv6 && !families.has(4))) planned.push(planSubnet(freeSubnet(used, facts.pools), undefined, undefined));
  if (wish.ipv6 && !families.has(6)) planned.push(planSubnet(freeSixSubnet(used, facts), undefined, undefined));
  return planned;
}

function planSubnet(subnet: Subnet, gateway: string | undefined, range: SubnetWish['range']): NetworkSubnet {
  const text = formatSubnet(subnet);
  const inside = (address: string) => contains(subnet, parseAddress(address)!);
  if (gateway !== undefined && !inside(gateway)) throw invalid(`gateway ${gateway} not in subnet ${text}`);
  if (range && !inside(range.start)) throw invalid(`lease range start ip ${range.start} not in subnet ${text}`);
  if (range && !inside(range.end)) throw invalid(`lease range end ip ${range.end} not in subnet ${text}`);
  return {
    subnet: text,
    gateway: gateway ?? formatAddress(firstAddress(subnet)),
    ...(range ? { lease_range: { start_ip: range.start, end_ip: range.end } } : {}),
  };
}

function freeSubnet(used: readonly Subnet[], pools: readonly SubnetPool[]): Subnet {
  for (const pool of pools) {
    const whole = parseSubnet(pool.base);
    if (whole === undefined || whole.family !== 4)
      throw new EngineError('CONFIG', `containers.conf: [network] default_subnet_pools: invalid base ${pool.base}`);
    const end = lastAddress(whole).value;
    for (
      let next: Subnet | undefined = { ...whole, prefix: Math.max(pool.size, whole.prefix) };
      next && next.base <= end;
      next = nextSubnet(next)
    ) {
      const candidate = next;
      if (!used.some((other) => overlaps(other, candidate))) return candidate;
    }
  }
  throw invalid('could not find free subnet from subnet pools');
}

/** RFC 4193: fd, 40 random bits, 16 for the subnet. */
function freeSixSubnet(used: readonly Subnet[], { random }: NetworkFacts): Subnet {
  for (;;) {
    const candidate: Subnet = { family: 6, base: BigInt(`0xfd${random(7)}`) << 64n, prefix: 64 };
    if (!used.some((other) => overlaps(other, candidate))) return candidate;
  }
}

function checkDns({ dnsServers }: NetworkWish, hasDns: boolean): void {
  if (dnsServers.length > 0 && !hasDns)
    throw invalid('cannot set NetworkDNSServers if DNS is not enabled for the network: invalid argument');
  const wrong = dnsServers.find((text) => parseAddress(text) === undefined);
  if (wrong !== undefined) throw invalid(`unable to parse ip ${wrong} specified in NetworkDNSServers: invalid argument`);
}

function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}

/** What Podman takes where no configuration names others: 10.89.0.0/16 to 10.255.0.0/16 in networks of 256 addresses. */
export const DEFAULT_POOLS: readonly SubnetPool[] = [
  { base: '10.89.0.0/16', size: 24 },
  { base: '10.90.0.0/15', size: 24 },
  { base: '10.92.0.0/14', size: 24 },
  { base: '10.96.0.0/11', size: 24 },
  { base: '10.128.0.0/9', size: 24 },
];

/** `CIDR` or `START-END`. Throws INVALID_ARGUMENT. */
export function parseRange(text: string): { start: string; end: string } {
  const subnet = parseSubnet(text);
  if (subnet) return { start: formatAddress(firstAddress(subnet)), end: formatAddress(lastAddress(subnet)) };
  const [start = '', end] = text.split('-', 2);
  if (end === undefined) throw invalid(`invalid CIDR address: ${text}`);
  for (const [which, word] of Object.entries({ start, end }))
    if (parseAddress(word) === undefined) throw invalid(`range ${which} ip ${JSON.stringify(word)} is not a ip address`);
  return { start, end };
}

/** `DESTINATION,GATEWAY[,METRIC]`. Throws INVALID_ARGUMENT. */
export function parseRoute(text: string): NetworkRoute {
  const words = text.split(',');
  if (words.length < 2 || words.length > 3)
    throw invalid(`invalid route: ${text}\nFormat: --route <destination in CIDR>,<gateway>,<metric (optional)>`);
  const [destination = '', gateway = '', metric] = words;
  const subnet = parseSubnet(destination);
  if (subnet === undefined) throw invalid(`invalid route destination ${destination}`);
  if (formatSubnet(subnet) !== destination) throw invalid('route destination invalid');
  if (parseAddress(gateway) === undefined) throw invalid(`invalid route gateway ${gateway}`);
  if (metric !== undefined && (!/^\d+$/.test(metric) || Number(metric) >= 2 ** 32)) throw invalid(`invalid route metric ${metric}`);
  return { destination: formatSubnet(subnet), gateway, ...(metric === undefined ? {} : { metric: Number(metric) }) };
}
