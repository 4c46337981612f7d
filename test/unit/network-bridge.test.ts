import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { planLinks, plannedInterfaces } from '../../network/bridge/attachment.ts';
import {
  contains,
  formatAddress,
  formatSubnet,
  lastAddress,
  nextSubnet,
  overlaps,
  parseAddress,
  parseSubnet,
} from '../../network/bridge/address.ts';
import {
  findDefinition,
  readDefinitions,
  removeDefinition,
  writeDefinition,
  type NetworkDefinition,
} from '../../network/bridge/definition.ts';
import { DEFAULT_POOLS, parseRange, planNetwork, type NetworkFacts, type NetworkWish } from '../../network/bridge/plan.ts';
import { datagramRules } from '../../network/bridge/ports.ts';
import { resolvConf } from '../../network/resolv.ts';

const WISH: NetworkWish = {
  driver: 'bridge',
  subnets: [],
  routes: [],
  ipv6: false,
  internal: false,
  disableDns: false,
  dnsServers: [],
  labels: {},
  options: {},
};
const STANDARD = { name: 'podman', subnet: '10.88.0.0/16' };
const directory = mkdtempSync(join(tmpdir(), 'networks-'));
afterEach(() => {
  for (const name of readdirSync(directory)) rmSync(join(directory, name));
});

function facts(existing: readonly NetworkDefinition[] = [], changed: Partial<NetworkFacts> = {}): NetworkFacts {
  return {
    existing,
    hostInterfaces: new Map(),
    pools: DEFAULT_POOLS,
    created: '2026-01-01T00:00:00Z',
    random: (bytes) => 'ab'.repeat(bytes),
    ...changed,
  };
}

function network(subnet: string, more: Partial<NetworkDefinition> = {}): NetworkDefinition {
  const base = { name: 'n', id: 'f'.repeat(64), driver: 'bridge', created: '', ipv6_enabled: false, internal: false, dns_enabled: true };
  return { ...base, subnets: [{ subnet, gateway: formatAddress(parseAddress(subnet.replace(/0\/.*$/, '1'))!) }], ...more };
}

test('addresses of both families are read and written as Go does', () => {
  for (const text of ['10.89.0.1', '255.255.255.255', '::', '::1', 'fd00:1::2', '2001:db8:0:1:1:1:1:1', 'fe80::1:0:0:1'])
    expect(formatAddress(parseAddress(text)!)).toBe(text);
  expect(formatAddress(parseAddress('::ffff:10.1.2.3')!)).toBe('10.1.2.3');
  expect(formatAddress(parseAddress('64:ff9b::10.1.2.3')!)).toBe('64:ff9b::a01:203');
  for (const text of ['', '10.1.2', '10.1.2.256', '010.1.2.3', 'fe80::1%eth0', ':::', 'x']) expect(parseAddress(text)).toBeUndefined();
});

test('any address is read as it was written', () => {
  fc.assert(fc.property(fc.ipV4(), (text) => formatAddress(parseAddress(text)!) === text));
  fc.assert(
    fc.property(
      fc.bigInt({ min: 1n << 48n, max: (1n << 128n) - 1n }),
      (value) => parseAddress(formatAddress({ family: 6, value }))?.value === value,
    ),
  );
});

test('subnets lose the bits of hosts, overlap, and follow each other', () => {
  expect(formatSubnet(parseSubnet('10.1.3.5/24')!)).toBe('10.1.3.0/24');
  expect(formatSubnet(parseSubnet('fd00:1::7/64')!)).toBe('fd00:1::/64');
  for (const text of ['10.1.0.0', '10.1.0.0/33', '10.1.0.0/', 'fd00::/129', 'foo/8']) expect(parseSubnet(text)).toBeUndefined();
  const [wide, narrow, other] = ['10.1.0.0/16', '10.1.9.0/24', '10.2.0.0/16'].map((text) => parseSubnet(text)!);
  expect([overlaps(wide!, narrow!), overlaps(narrow!, wide!), overlaps(wide!, other!)]).toEqual([true, true, false]);
  expect(overlaps(wide!, parseSubnet('::a01:0/112')!)).toBe(false);
  expect(formatAddress(lastAddress(narrow!))).toBe('10.1.9.255');
  expect(contains(wide!, lastAddress(wide!))).toBe(true);
  expect(formatSubnet(nextSubnet(narrow!)!)).toBe('10.1.10.0/24');
  expect(nextSubnet(parseSubnet('255.255.255.0/24')!)).toBeUndefined();
});

test('a network without a wish gets the first free name, interface and subnet', () => {
  const first = planNetwork(WISH, facts());
  expect(first).toMatchObject({ name: 'podman1', network_interface: 'podman1', dns_enabled: true, ipam_options: { driver: 'host-local' } });
  expect(first.subnets).toEqual([{ subnet: '10.89.0.0/24', gateway: '10.89.0.1' }]);
  const second = planNetwork({ ...WISH, name: 'second' }, facts([first], { hostInterfaces: new Map([['podman2', ['10.89.1.7/24']]]) }));
  expect(second).toMatchObject({ network_interface: 'podman3', subnets: [{ subnet: '10.89.2.0/24' }] });
});

test('with --ipv6 it gets a subnet of each family that was not named', () => {
  const six = { subnet: 'fdab:abab:abab:abab::/64', gateway: 'fdab:abab:abab:abab::1' };
  expect(planNetwork({ ...WISH, ipv6: true }, facts()).subnets).toEqual([{ subnet: '10.89.0.0/24', gateway: '10.89.0.1' }, six]);
  const own = { ...WISH, ipv6: true, subnets: [{ subnet: parseSubnet('fd00:1::/64')! }] };
  expect(planNetwork(own, facts()).subnets?.map(({ subnet }) => subnet)).toEqual(['fd00:1::/64', '10.89.0.0/24']);
});

test('pools are used up one after the other, and then it says so', () => {
  const pools = [
    { base: '10.1.0.0/25', size: 26 },
    { base: '10.2.0.0/24', size: 24 },
  ];
  const networks: NetworkDefinition[] = [];
  for (let count = 0; count < 3; count++) networks.push(planNetwork(WISH, facts(networks, { pools })));
  expect(networks.map(({ subnets }) => subnets?.[0]?.subnet)).toEqual(['10.1.0.0/26', '10.1.0.64/26', '10.2.0.0/24']);
  expect(() => planNetwork(WISH, facts(networks, { pools }))).toThrow('could not find free subnet from subnet pools');
  expect(() => planNetwork(WISH, facts([], { pools: [{ base: 'x', size: 24 }] }))).toThrow('default_subnet_pools: invalid base x');
});

test('a range has the addresses of its subnet, or those named', () => {
  expect(parseRange('10.1.0.128/25')).toEqual({ start: '10.1.0.129', end: '10.1.0.255' });
  expect(parseRange('10.1.0.5-10.1.0.9')).toEqual({ start: '10.1.0.5', end: '10.1.0.9' });
});

test('addresses are given out in order, around what is taken, and come to an end', () => {
  const definition = network('10.5.0.0/29');
  const taken = new Set<string>();
  const next = () => {
    const [link] = planLinks([{ definition, ips: [], aliases: [] }], new Map([['n', taken]]), []);
    taken.add(link!.addresses[0]!.replace('/29', ''));
    return link!.addresses[0];
  };
  taken.add('10.5.0.3');
  expect([next(), next(), next(), next()]).toEqual(['10.5.0.2/29', '10.5.0.4/29', '10.5.0.5/29', '10.5.0.6/29']);
  expect(next).toThrow('IPAM error: failed to find free IP in range: 10.5.0.1 - 10.5.0.7');
});

test('addresses that were asked for are in their subnet and free, or refused', () => {
  const definition = network('10.5.0.0/24', {
    subnets: [
      { subnet: '10.5.0.0/24', gateway: '10.5.0.1' },
      { subnet: 'fd00:5::/64', gateway: 'fd00:5::1' },
    ],
  });
  const plan = (...ips: string[]) =>
    planLinks([{ definition, ips, aliases: [] }], new Map([['n', new Set(['10.5.0.9'])]]), [])[0]!.addresses;
  expect(plan('fd00:5::77')).toEqual(['10.5.0.2/24', 'fd00:5::77/64']);
  expect(plan('10.5.0.77', 'fd00:5::7')).toEqual(['10.5.0.77/24', 'fd00:5::7/64']);
  expect(() => plan('10.6.0.1')).toThrow('requested static ip 10.6.0.1 not in any subnet on network n');
  for (const ip of ['10.5.0.9', '10.5.0.1']) expect(() => plan(ip)).toThrow(`IPAM error: requested ip address ${ip} is already allocated`);
});

test('interfaces are numbered around those that have names', () => {
  const wish = (interfaceName?: string) => ({ definition: network('10.5.0.0/24'), ips: [], aliases: [], interfaceName });
  expect(planLinks([wish(), wish('eth1'), wish()], new Map(), ['eth2']).map(({ interfaceName }) => interfaceName)).toEqual([
    'eth0',
    'eth1',
    'eth3',
  ]);
});

test('a lease range keeps to itself; an internal network has no gateway', () => {
  const subnets = [{ subnet: '10.5.0.0/24', gateway: '10.5.0.1', lease_range: { start_ip: '10.5.0.100', end_ip: '10.5.0.100' } }];
  const links = planLinks([{ definition: network('10.5.0.0/24', { subnets, internal: true }), ips: [], aliases: [] }], new Map(), []);
  expect(plannedInterfaces(links)).toEqual([{ name: 'eth0', network: 'n', addresses: ['10.5.0.100/24'], gateways: [] }]);
});

test('containers are not attached to macvlan, and are told what to do', () => {
  expect(() => planLinks([{ definition: network('10.5.0.0/24', { driver: 'macvlan' }), ips: [], aliases: [] }], new Map(), [])).toThrow(
    'network n: containers cannot be attached to macvlan networks without real root',
  );
});

test('definitions are files; the default network needs none, and a broken file is in nobody’s way', () => {
  const own = planNetwork({ ...WISH, name: 'own', labels: { a: 'b' } }, facts());
  writeDefinition(directory, own);
  writeFileSync(join(directory, 'broken.json'), '{');
  writeFileSync(join(directory, 'nameless.json'), '{}');
  const found = readDefinitions(directory, STANDARD, 0);
  expect(found.map(({ name }) => name)).toEqual(['own', 'podman']);
  expect(found[0]).toEqual(own);
  expect(found[1]!.id).toBe('2f259bab93aaaaa2542ba43ef33eb990d0999ee1b9924b557b7be53c0b7a1bb9');
  expect(JSON.parse(readFileSync(join(directory, 'own.json'), 'utf8'))).toEqual(own);
  removeDefinition(directory, 'own');
  expect(readDefinitions(directory, STANDARD, 0)).toHaveLength(1);
  expect(() => readDefinitions(directory, { name: 'podman', subnet: 'x' }, 0)).toThrow('default_subnet: invalid CIDR address: x');
});

test('networks are found by name, id and the beginning of one id', () => {
  const two = [network('10.5.0.0/24', { name: 'a', id: 'abc1' }), network('10.6.0.0/24', { name: 'abc', id: 'abd2' })];
  expect(findDefinition(two, 'abc').id).toBe('abd2');
  expect(findDefinition(two, 'abc1').name).toBe('a');
  expect(() => findDefinition(two, 'ab')).toThrow('more than one result for network ID ab');
  for (const word of ['', 'x'])
    expect(() => findDefinition(two, word)).toThrow(`unable to find network with name or ID ${word}: network not found`);
});

test('servers that know the names of containers are asked alone', () => {
  const request = {
    host: 'search h.example\nnameserver 10.9.9.9\n',
    hostNetwork: false,
    ipv6: false,
    dnsServers: [],
    dnsSearch: [],
    dnsOptions: [],
  };
  const own = { ...request, nameservers: ['10.89.0.1'], searchDomains: ['dns.podman'] };
  expect(resolvConf(own)).toBe('search dns.podman h.example\nnameserver 10.89.0.1\n');
  expect(resolvConf({ ...own, dnsServers: ['9.9.9.9'], dnsSearch: ['x.example'] })).toBe('search x.example\nnameserver 10.89.0.1\n');
  expect(resolvConf({ ...request, nameservers: ['169.254.1.1'] })).toBe('search h.example\nnameserver 169.254.1.1\nnameserver 10.9.9.9\n');
});

test('rules for datagrams name the families that the interface has', () => {
  const both = datagramRules('ports0', ['169.254.77.2/30', 'fd4c::2/64']);
  expect(both).toContain('ip6 daddr . udp dport . udp sport @ip6-clients ip6 saddr set fd4c::2');
  const four = datagramRules('tap0', ['10.0.2.100/24']);
  expect(four).toContain('iifname "tap0" ip daddr 10.0.2.100 update @ip-clients { ip saddr . udp sport . udp dport }');
  expect(four).toContain('ip saddr set 10.0.2.100;');
  expect(four).not.toContain('ip6');
});
