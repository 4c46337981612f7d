import { expect, test } from 'vitest';
import { parseSlirpOptions, prefixLength, slirpAddresses, slirpArgs } from '../../network/slirp4netns-args.ts';
import type { HelperOptions } from '../../network/probe.ts';

const RECENT: HelperOptions = new Map(
  [
    '--disable-host-loopback',
    '--mtu',
    '--enable-sandbox',
    '--enable-seccomp',
    '--enable-ipv6',
    '--cidr',
    '--outbound-addr',
    '--outbound-addr6',
  ].map((name) => [name, true]),
);
const ANCIENT: HelperOptions = new Map([['--mtu', true]]);
const places = { netns: '/run/netns/x', readyFd: 3 };

test('the default command line is Podman’s', () => {
  expect(slirpArgs(parseSlirpOptions([]), { ...places, exitFd: 4, apiSocket: 'api' }, RECENT).join(' ')).toBe(
    '--disable-host-loopback --mtu=65520 --enable-sandbox --enable-seccomp --enable-ipv6 -c -r 3 -e 4 --api-socket api --netns-type=path /run/netns/x tap0',
  );
});

test('a version that lacks safety options goes without them', () => {
  expect(slirpArgs(parseSlirpOptions([]), places, ANCIENT).join(' ')).toBe('--mtu=65520 -c -r 3 --netns-type=path /run/netns/x tap0');
});

test('an option asked for and not there is an error, not left out', () => {
  expect(() => slirpArgs(parseSlirpOptions(['cidr=10.1.0.0/24']), places, ANCIENT)).toThrow('cidr not supported');
  expect(() => slirpArgs(parseSlirpOptions(['outbound_addr=10.1.0.1']), places, ANCIENT)).toThrow('outbound_addr not supported');
});

test('options of the user change the command line, and the last one wins', () => {
  const options = parseSlirpOptions([
    'mtu=9000',
    'allow_host_loopback=true',
    'enable_ipv6=false',
    'cidr=10.1.2.0/24',
    'outbound_addr=eth0',
    'mtu=1400',
  ]);
  expect(slirpArgs(options, places, RECENT).join(' ')).toBe(
    '--mtu=1400 --enable-sandbox --enable-seccomp --cidr=10.1.2.0/24 --outbound-addr=eth0 -c -r 3 --netns-type=path /run/netns/x tap0',
  );
});

test('addresses follow from the network', () => {
  expect(slirpAddresses(parseSlirpOptions([]))).toEqual({ own: '10.0.2.100', gateway: '10.0.2.2', nameserver: '10.0.2.3' });
  const other = parseSlirpOptions(['cidr=192.168.255.77/16']);
  expect(slirpAddresses(other)).toEqual({ own: '192.168.0.100', gateway: '192.168.0.2', nameserver: '192.168.0.3' });
  expect(prefixLength(other)).toBe(16);
});

test.each([
  ['foo', 'unknown option for slirp4netns: "foo"'],
  ['foo=1', 'unknown option for slirp4netns: "foo=1"'],
  ['mtu=1', 'invalid mtu "1"'],
  ['mtu=x', 'invalid mtu "x"'],
  ['cidr=foo', 'invalid cidr "foo"'],
  ['cidr=10.0.0.256/24', 'invalid cidr "10.0.0.256/24"'],
  ['cidr=10.0.0.0/33', 'invalid cidr "10.0.0.0/33"'],
  ['allow_host_loopback=x', 'invalid value of allow_host_loopback for slirp4netns: "x"'],
  ['enable_ipv6=', 'invalid value of enable_ipv6 for slirp4netns: ""'],
  ['port_handler=x', 'unknown port_handler for slirp4netns: "x"'],
  ['outbound_addr=--help', 'invalid outbound_addr "--help"'],
])('%s is refused in Podman’s words', (word, message) => {
  expect(() => parseSlirpOptions([word])).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
});

test('both port handlers of Podman’s are accepted', () => {
  expect(parseSlirpOptions(['port_handler=rootlesskit', 'port_handler=slirp4netns'])).toEqual(parseSlirpOptions([]));
});
