/** Arithmetic on IP addresses and subnets of both families. Pure. */
import { formatSix, isIpv4, isIpv6 } from '../../core/address.ts';

export interface Address {
  readonly family: 4 | 6;
  readonly value: bigint;
}

export interface Subnet {
  readonly family: 4 | 6;
  /** The network's own address: no bit of a host is set. */
  readonly base: bigint;
  readonly prefix: number;
}

const BITS = { 4: 32, 6: 128 } as const;

/** Undefined where the text is no address, or has a zone. */
export function parseAddress(text: string): Address | undefined {
  if (isIpv4(text)) return { family: 4, value: fromFour(text) };
  if (!isIpv6(text)) return undefined;
  const value = fromSix(text);
  // IPv4 in IPv6's clothes, as Go takes it.
  return value >> 32n === 0xffffn ? { family: 4, value: value & 0xffff_ffffn } : { family: 6, value };
}

export function formatAddress({ family, value }: Address): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => String((value >> shift) & 255n)).join('.');
  return formatSix(value.toString(16).padStart(32, '0'));
}

/** `ADDRESS/PREFIX`; bits of a host are taken away. */
export function parseSubnet(text: string): Subnet | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const address = match ? parseAddress(match[1]!) : undefined;
  const prefix = Number(match?.[2]);
  if (address === undefined || prefix > BITS[address.family]) return undefined;
  const size = sizeOf({ ...address, prefix });
  return { family: address.family, base: address.value - (address.value % size), prefix };
}

export function formatSubnet({ family, base, prefix }: Subnet): string {
  return `${formatAddress({ family, value: base })}/${prefix}`;
}

export function contains(subnet: Subnet, { family, value }: Address): boolean {
  return family === subnet.family && value >= subnet.base && value < subnet.base + sizeOf(subnet);
}

export function overlaps(one: Subnet, other: Subnet): boolean {
  const startOf = ({ family, base }: Subnet) => ({ family, value: base });
  return contains(one, startOf(other)) || contains(other, startOf(one));
}

/** The first that a host may have. */
export function firstAddress({ family, base }: Subnet): Address {
  return { family, value: base + 1n };
}

/** The very last: of IPv4 the one for broadcasts. */
export function lastAddress(subnet: Subnet): Address {
  return { family: subnet.family, value: subnet.base + sizeOf(subnet) - 1n };
}

/** The subnet of the same size behind this one; undefined behind the last. */
export function nextSubnet(subnet: Subnet): Subnet | undefined {
  const base = subnet.base + sizeOf(subnet);
  return base >> BigInt(BITS[subnet.family]) === 0n ? { ...subnet, base } : undefined;
}

function sizeOf({ family, prefix }: Pick<Subnet, 'family' | 'prefix'>): bigint {
  return 1n << BigInt(BITS[family] - prefix);
}

function fromFour(text: string): bigint {
  return text.split('.').reduce((value, part) => value * 256n + BigInt(part), 0n);
}

function fromSix(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0n);
  return [...before, ...zeros, ...after].reduce((value, group) => (value << 16n) | group, 0n);
}

function groupsOf(text: string): bigint[] {
  if (text === '') return [];
  return text.split(':').flatMap((group) => {
    if (!group.includes('.')) return [BigInt(`0x${group}`)];
    const four = fromFour(group);
    return [four >> 16n, four & 0xffffn];
  });
}
