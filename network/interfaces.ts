/**
 * What a network namespace looks like from inside: interfaces, addresses, gateways.
 * Node cannot go in and come back (the host's namespace belongs to another user namespace), and it need not: the kernel tells through /proc/PID/net.
 */
import { readFileSync } from 'node:fs';
import { formatSix } from '../core/address.ts';
import { runHelper } from '../host/process.ts';
import type { NetworkInterface } from './backend.ts';

const FILES = ['route', 'fib_trie', 'if_inet6', 'ipv6_route'] as const;

/** The interfaces seen by process `pid`, loopback excepted. Four small files, 0.1 ms. Empty when the process is gone. */
export function readInterfacesOf(pid: number): readonly NetworkInterface[] {
  return parseInterfaces(FILES.map((file) => readOptional(`/proc/${pid}/net/${file}`)).join('\n'));
}

/** The same for the namespace at `netns`, where no process lives in it yet; costs a spawned nsenter(1), 3 ms. Throws HELPER_MISSING, HELPER_FAILED. */
export async function readInterfaces(netns: string): Promise<readonly NetworkInterface[]> {
  // Without IPv6 the last two files are missing, and cat says so with status 1.
  const args = [`--net=${netns}`, '--', 'cat', ...FILES.map((file) => `/proc/self/net/${file}`)];
  return parseInterfaces((await runHelper('nsenter', args, { okCodes: [0, 1], package: 'util-linux' })).stdout);
}

/** This process's own namespace. */
export function readOwnInterfaces(): readonly NetworkInterface[] {
  return parseInterfaces(FILES.map((file) => readOptional(`/proc/thread-self/net/${file}`)).join('\n'));
}

interface Route {
  readonly device: string;
  readonly destination: number;
  readonly mask: number;
  readonly gateway: number;
}

/**
 * Pure: from the texts of /proc/net/route, fib_trie, if_inet6 and ipv6_route, one after the other in this order (their lines cannot be mistaken).
 * Interfaces with a default route come first, link-local IPv6 addresses are left out.
 */
export function parseInterfaces(text: string): readonly NetworkInterface[] {
  const lines = text.split('\n');
  const routes = lines.flatMap(parseRoute);
  const addresses = [...addresses4(lines, routes), ...lines.flatMap(parseAddress6)];
  const gateways = [
    ...routes.filter(({ gateway }) => gateway !== 0).map(({ device, gateway }) => ({ device, address: dotted(gateway) })),
    ...lines.flatMap(parseGateway6),
  ];
  const names = new Set([...gateways, ...addresses].map(({ device }) => device));
  return [...names].map((name) => ({
    name,
    addresses: addresses.filter(({ device }) => device === name).map(({ cidr }) => cidr),
    gateways: [...new Set(gateways.filter(({ device }) => device === name).map(({ address }) => address))],
  }));
}

/** /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask …; addresses as the machine's own words. Default and connected routes only. */
function parseRoute(line: string): Route[] {
  const match = /^(\S+)\t([0-9A-F]{8})\t([0-9A-F]{8})\t(?:[^\t]*\t){4}([0-9A-F]{8})\t/.exec(line);
  if (!match) return [];
  const [destination, gateway, mask] = [match[2]!, match[3]!, match[4]!].map(fromWord) as [number, number, number];
  const isDefault = destination === 0 && mask === 0;
  return isDefault || gateway === 0 ? [{ device: match[1]!, destination, mask, gateway: isDefault ? gateway : 0 }] : [];
}

/** /proc/net/fib_trie lists local addresses without a device: the connected route that holds them says whose they are. */
function addresses4(lines: readonly string[], routes: readonly Route[]): { device: string; cidr: string }[] {
  const local = new Set<string>();
  lines.forEach((line, at) => {
    const address = /\|-- ([\d.]+)$/.exec(lines[at - 1] ?? '')?.[1];
    if (address !== undefined && line.endsWith('/32 host LOCAL') && !address.startsWith('127.')) local.add(address);
  });
  return [...local].flatMap((address) => {
    const number = fromDotted(address);
    const holding = routes.filter(({ destination, mask }) => mask !== 0 && (number & mask) >>> 0 === destination);
    const route = holding.toSorted((a, b) => b.mask - a.mask)[0] ?? routes[0];
    if (route === undefined) return [];
    const prefix = holding.length === 0 ? 32 : 32 - Math.log2(2 ** 32 - route.mask);
    return [{ device: route.device, cidr: `${address}/${prefix}` }];
  });
}

/** /proc/net/if_inet6: address, index, prefix length, scope (0: global), flags, device; hexadecimal. */
function parseAddress6(line: string): { device: string; cidr: string }[] {
  const match = /^([0-9a-f]{32}) [0-9a-f]+ ([0-9a-f]{2}) 00 [0-9a-f]+ +(\S+)$/.exec(line);
  return match ? [{ device: match[3]!, cidr: `${formatSix(match[1]!)}/${Number.parseInt(match[2]!, 16)}` }] : [];
}

/** /proc/net/ipv6_route: destination, its prefix length, source, its prefix length, next hop, metric, counters, flags, device; hexadecimal. */
function parseGateway6(line: string): { device: string; address: string }[] {
  const match = /^0{32} 00 [0-9a-f]{32} [0-9a-f]{2} ([0-9a-f]{32}) .* (\S+)$/.exec(line);
  return match && !/^0+$/.test(match[1]!) ? [{ device: match[2]!, address: formatSix(match[1]!) }] : [];
}

/** Eight hexadecimal digits, in memory order on the little-endian machines we run on. */
function fromWord(hex: string): number {
  return Buffer.from(hex, 'hex').readUInt32LE();
}

function fromDotted(address: string): number {
  return Buffer.from(address.split('.').map(Number)).readUInt32BE();
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.');
}

/** A kernel without IPv6 lacks two of them. */
function readOptional(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}
