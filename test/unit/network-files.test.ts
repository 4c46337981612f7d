import { array, assert, oneof, property, string } from 'fast-check';
import { CODE_POINT } from '../fixtures/code-point.ts';
import { describe, expect, test } from 'vitest';
import { baseHostsFile, hostsFile } from '../../network/hosts.ts';
import { resolvConf, type ResolvRequest } from '../../network/resolv.ts';

describe('/etc/hosts', () => {
  const base =
    '127.0.0.1\tlocalhost\n::1\t\tlocalhost ip6-localhost ip6-loopback # comment\n\nff02::1\t\tip6-allnodes\n# 1.2.3.4 x\n5.6.7.8\n';
  const own = [{ address: '192.0.2.2', names: ['f0a302b432b6', 'laughing_booth'] }];

  test('has the base file’s entries, then host and container', () => {
    expect(hostsFile({ base, extra: [], hostAddress: '169.254.1.2', own })).toBe(
      '127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nff02::1\tip6-allnodes\n169.254.1.2\thost.containers.internal host.docker.internal\n192.0.2.2\tf0a302b432b6 laughing_booth\n',
    );
  });

  test('without a base file has localhost all the same', () => {
    expect(hostsFile({ base: '', extra: [], own })).toBe('127.0.0.1\tlocalhost\n::1\tlocalhost\n192.0.2.2\tf0a302b432b6 laughing_booth\n');
  });

  test('--add-host comes first, takes several names, and host-gateway is the host', () => {
    const extra = ['foo:1.2.3.4', 'a;b:host-gateway', 'six:fd00::1'];
    expect(hostsFile({ base: '', extra, hostAddress: '169.254.1.2', own: [] })).toBe(
      '1.2.3.4\tfoo\n169.254.1.2\ta b\nfd00::1\tsix\n127.0.0.1\tlocalhost\n::1\tlocalhost\n169.254.1.2\thost.containers.internal host.docker.internal\n',
    );
  });

  test('a name that is given already is not added again', () => {
    const extra = ['localhost:9.9.9.9', 'host.docker.internal:8.8.8.8', 'nn:7.7.7.7'];
    expect(hostsFile({ base: '', extra, hostAddress: '169.254.1.2', own: [{ address: '192.0.2.2', names: ['hh', 'nn'] }] })).toBe(
      '9.9.9.9\tlocalhost\n8.8.8.8\thost.docker.internal\n7.7.7.7\tnn\n169.254.1.2\thost.containers.internal\n192.0.2.2\thh\n',
    );
  });

  test('host-gateway without a way to the host is an error', () => {
    expect(() => hostsFile({ base: '', extra: ['x:host-gateway'], own: [] })).toThrow(
      'unable to replace "host-gateway" of host entry "x:host-gateway": host containers internal IP address is empty',
    );
  });

  test.each([
    ['foo', 'bad format for add-host: "foo"'],
    [':1.2.3.4', 'bad format for add-host: ":1.2.3.4"'],
    ['a\nb:1.2.3.4', String.raw`bad format for add-host: "a\nb:1.2.3.4"`],
    ['foo:', 'invalid IP address in add-host: ""'],
    ['foo:bar', 'invalid IP address in add-host: "bar"'],
    ['foo:1.2.3.4\n6.6.6.6 evil', String.raw`invalid IP address in add-host: "1.2.3.4\n6.6.6.6 evil"`],
  ])('%j: %s', (word, message) => {
    expect(() => hostsFile({ base: '', extra: [word], own: [] })).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
  });

  test('the base file is the host’s, the image’s, a path, or none', () => {
    expect([undefined, '', 'image', '/x', 'none'].map(baseHostsFile)).toEqual([
      { from: 'host', path: '/etc/hosts' },
      { from: 'host', path: '/etc/hosts' },
      { from: 'image', path: '/etc/hosts' },
      { from: 'host', path: '/x' },
      { from: 'nowhere' },
    ]);
  });
});

describe('/etc/resolv.conf', () => {
  const nothing: ResolvRequest = {
    host: '',
    hostNetwork: false,
    ipv6: true,
    nameservers: [],
    dnsServers: [],
    dnsSearch: [],
    dnsOptions: [],
  };
  const make = (request: Partial<ResolvRequest>) => resolvConf({ ...nothing, ...request });

  test('has the attachment’s nameserver before the host’s', () => {
    expect(make({ host: 'nameserver 10.255.255.53\n', nameservers: ['169.254.1.1'] })).toBe(
      'nameserver 169.254.1.1\nnameserver 10.255.255.53\n',
    );
  });

  test('takes search domains and options over from the host', () => {
    const host = 'domain old\nsearch a.example b.example\nnameserver 10.0.0.1\noptions ndots:2 edns0\noptions rotate\n';
    expect(make({ host })).toBe('search a.example b.example\nnameserver 10.0.0.1\noptions ndots:2 edns0 rotate\n');
  });

  test('--dns, --dns-search and --dns-option replace what the host has', () => {
    const host = 'search x\nnameserver 10.0.0.1\noptions rotate\n';
    const request = {
      host,
      nameservers: ['169.254.1.1'],
      dnsServers: ['1.1.1.1'],
      dnsSearch: ['a.b', 'c.d'],
      dnsOptions: ['ndots:3', 'timeout:1'],
    };
    expect(make(request)).toBe('search a.b c.d\nnameserver 1.1.1.1\noptions ndots:3 timeout:1\n');
  });

  test('--dns-search . means no search domain', () => {
    expect(make({ host: 'search x\nnameserver 10.0.0.1\n', dnsSearch: ['.'] })).toBe('nameserver 10.0.0.1\n');
  });

  test('--dns none leaves the image’s file alone', () => {
    expect(make({ host: 'nameserver 10.0.0.1\n', dnsServers: ['none'] })).toBeUndefined();
  });

  test('the host’s loopback is of use only in the host’s namespace', () => {
    const host = 'nameserver 127.0.0.1\nnameserver ::1\nnameserver 10.0.0.1\n';
    expect(make({ host })).toBe('nameserver 10.0.0.1\n');
    expect(make({ host, hostNetwork: true })).toBe(host);
  });

  test('IPv6 nameservers are of use only where there is IPv6', () => {
    expect(make({ host: 'nameserver fd00::53\nnameserver 10.0.0.1\n', ipv6: false })).toBe('nameserver 10.0.0.1\n');
  });

  test('public nameservers stand in where nothing is left', () => {
    expect(make({ host: 'nameserver 127.0.0.1\n' })).toBe('nameserver 8.8.8.8\nnameserver 8.8.4.4\n');
    expect(make({ host: 'nameserver 127.0.0.1\n', nameservers: ['169.254.1.1'] })).toBe('nameserver 169.254.1.1\n');
  });

  test('malformed and link-local lines are passed over', () => {
    const host =
      'nameserver\nnameserver fe80::1%eth0\nnameserver fe80::2\nnameserver 1.2.3.999\nnameserver example.com\nnameserver 10.0.0.1 # x\ngarbage\noptions ok $(x)\n;x\n';
    expect(make({ host })).toBe('nameserver 10.0.0.1\noptions ok\n');
  });

  test('whatever the host’s file holds, the result has only lines of the three kinds', () => {
    assert(
      property(
        array(
          oneof(
            string({ unit: CODE_POINT }),
            string().map((text) => `nameserver ${text}`),
            string().map((text) => `search ${text}`),
          ),
        ),
        (lines) => {
          const text = make({ host: lines.join('\n') })!;
          for (const line of text.split('\n').slice(0, -1)) expect(line).toMatch(/^(search \S|nameserver [0-9a-f.:]+$|options [\w:-])/i);
        },
      ),
    );
  });
});
