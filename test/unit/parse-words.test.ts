import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCsvLine } from '../../core/csv.ts';
import { parseDetachKeys } from '../../libpod/spec/parse/detach-keys.ts';
import { parseDevice } from '../../libpod/spec/parse/device.ts';
import { parseEnv, parseEnvFile } from '../../libpod/spec/parse/env.ts';
import { parseIdMappings } from '../../libpod/spec/parse/idmap.ts';
import { parseUlimit } from '../../libpod/spec/parse/limits.ts';
import { parseIpcNamespace, parseNamespace, parseUserNamespace } from '../../libpod/spec/parse/namespaces.ts';
import { parseAddHost, parseDnsSearch, parseDnsServers, parseNetworks } from '../../libpod/spec/parse/network.ts';
import { parseSecurityOptions } from '../../libpod/spec/parse/security.ts';
import { parseLog, parsePlatform, parsePullPolicy } from '../../libpod/spec/parse/words.ts';

const invalid = (message: string): unknown => expect.objectContaining({ code: 'INVALID_ARGUMENT', message });

test('CSV fields survive quoting', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (fields) => {
      fc.pre(fields.length > 1 || fields[0] !== '');
      const line = fields.map((field) => (/[",]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field)).join(',');
      expect(parseCsvLine(line)).toEqual(fields);
    }),
  );
});

test.each([
  ['nofile=1', { name: 'nofile', soft: 1, hard: 1 }],
  ['RLIMIT_NOFILE=1:2', { name: 'nofile', soft: 1, hard: 2 }],
  ['nproc=-1:-1', { name: 'nproc', soft: -1, hard: -1 }],
])('ulimit %s', (text, limit) => {
  expect(parseUlimit(text)).toEqual(limit);
});

test.each([
  ['foo=1:2', 'invalid ulimit type: foo'],
  ['nofile=a:b', 'strconv.ParseInt: parsing "b": invalid syntax'],
  ['nofile=1:2:3', 'too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`'],
  ['nofile=2:1', 'ulimit soft limit must be less than or equal to hard limit: 2 > 1'],
  ['nproc=unlimited', 'strconv.ParseInt: parsing "unlimited": invalid syntax'],
])('ulimit %s is refused', (text, problem) => {
  expect(() => parseUlimit(text)).toThrow(invalid(`ulimit option "${text}" requires name=SOFT:HARD, failed to be parsed: ${problem}`));
});

test.each([
  ['/dev/null', { hostPath: '/dev/null', containerPath: '/dev/null', access: 'rwm' }],
  ['/dev/null:/dev/x:r', { hostPath: '/dev/null', containerPath: '/dev/x', access: 'r' }],
  ['/dev/null:rw', { hostPath: '/dev/null', containerPath: '/dev/null', access: 'rw' }],
])('device %s', (text, device) => {
  expect(parseDevice(text)).toEqual(device);
});

test.each([
  ['/dev/null:/dev/x:q', 'invalid device mode "q" in device "/dev/null:/dev/x:q"'],
  ['/dev/null:x', 'invalid device mode "x" in device "/dev/null:x"'],
  ['/dev/null:rr', 'invalid device mode "rr" in device "/dev/null:rr"'],
])('device %s is refused', (text, message) => {
  expect(() => parseDevice(text)).toThrow(invalid(message));
});

test('namespaces: modes, defaults and what they refuse', () => {
  expect(parseNamespace('')).toBeUndefined();
  expect(parseNamespace('host')).toEqual({ kind: 'host' });
  expect(parseNamespace('ns:/x:y')).toEqual({ kind: 'path', path: '/x:y' });
  expect(parseIpcNamespace('shareable')).toEqual({ kind: 'shareable' });
  expect(parseUserNamespace('auto:size=10,uidmapping=0:5:2')).toEqual({
    kind: 'auto',
    size: 10,
    uids: [{ containerId: 0, hostId: 5, size: 2 }],
  });
  expect(() => parseNamespace('foo')).toThrow(invalid('unrecognized namespace mode foo passed'));
  expect(() => parseNamespace('shareable')).toThrow(invalid('unrecognized namespace mode shareable passed'));
  expect(() => parseUserNamespace('host:x')).toThrow(invalid('unrecognized namespace mode host:x passed'));
  expect(() => parseUserNamespace('keep-id:foo=5')).toThrow(invalid('unknown option specified: "foo"'));
  expect(() => parseUserNamespace('keep-id:uid=x')).toThrow(invalid('strconv.ParseUint: parsing "x": invalid syntax'));
  expect(() => parseNamespace('container:')).toThrow(invalid('invalid config provided: namespace mode container requires a value'));
});

test('id mappings: one line for both maps, for one of them, and never overlapping', () => {
  expect(parseIdMappings(['0:1:10', '10:20'])).toEqual([
    { containerId: 0, hostId: 1, size: 10 },
    { containerId: 10, hostId: 20, size: 1 },
  ]);
  expect(parseIdMappings(['u0:1:10', 'g0:2:5'], 'g')).toEqual([{ containerId: 0, hostId: 2, size: 5 }]);
  expect(() => parseIdMappings(['a:b:c'])).toThrow(invalid('invalid mapping: [a b c]. Unknown flag 97'));
  expect(() => parseIdMappings(['0:1:10', '5:100:1'])).toThrow(invalid('the id mappings 0:1:10 and 5:100:1 overlap'));
  expect(() => parseIdMappings(['0:1:5', '10:3:5'])).toThrow(invalid('the id mappings 0:1:5 and 10:3:5 overlap'));
});

test('networks: one mode, or several names', () => {
  expect(parseNetworks([])).toBeUndefined();
  expect(parseNetworks(['default'])).toBeUndefined();
  expect(parseNetworks(['slirp4netns:mtu=1,cidr=10.0.2.0/24'])).toEqual({ kind: 'slirp4netns', options: ['mtu=1', 'cidr=10.0.2.0/24'] });
  expect(parseNetworks(['a', 'b:ip=10.1.1.1,alias=x,mac=02:11:22:33:44:FF,interface_name=net7'])).toEqual({
    kind: 'bridge',
    networks: [
      { name: 'a', ips: [], aliases: [] },
      { name: 'b', ips: ['10.1.1.1'], aliases: ['x'], mac: '02:11:22:33:44:ff', interfaceName: 'net7' },
    ],
  });
  expect(parseNetworks(['a,b'])).toEqual(parseNetworks(['a', 'b']));
  expect(parseNetworks(['none:x=1'])).toEqual({ kind: 'bridge', networks: [{ name: 'none', ips: [], aliases: [], options: { x: '1' } }] });
  expect(() => parseNetworks(['a', 'host'])).toThrow(
    invalid('can only set extra network names, selected mode host conflicts with bridge: invalid argument'),
  );
  expect(() => parseNetworks(['host', 'host'])).toThrow(
    invalid('cannot set multiple networks without bridge network mode, selected mode host: invalid argument'),
  );
  expect(() => parseNetworks(['container:'])).toThrow(invalid('invalid config provided: namespace mode container requires a value'));
});

test('hosts and name servers are checked', () => {
  expect(parseAddHost('a:::1')).toBe('a:::1');
  expect(parseAddHost('a:host-gateway')).toBe('a:host-gateway');
  expect(() => parseAddHost('a')).toThrow(invalid('bad format for add-host: "a"'));
  expect(() => parseAddHost(':1.2.3.4')).toThrow(invalid('bad format for add-host: ":1.2.3.4"'));
  expect(() => parseAddHost('a:b')).toThrow(invalid('invalid IP address in add-host: "b"'));
  expect(parseDnsServers(['none'])).toEqual(['none']);
  expect(() => parseDnsServers(['x'])).toThrow(invalid('x is not an ip address'));
  expect(() => parseDnsServers(['1.1.1.1', 'none'])).toThrow(invalid('none is not allowed to be specified with other DNS ip addresses'));
  expect(() => parseDnsSearch('a b')).toThrow(invalid('a b is not a valid domain'));
});

test('security options in both forms; a wrong one is named by its number', () => {
  expect(parseSecurityOptions(['label:type:x', 'mask=/a:/b', 'systempaths=unconfined', 'proc-opts=hidepid=2,nosuid'])).toEqual({
    asTyped: ['label:type:x', 'mask=/a:/b', 'systempaths=unconfined', 'proc-opts=hidepid=2,nosuid'],
    labels: ['type:x'],
    mask: ['/a', '/b'],
    unmask: ['ALL'],
    procOpts: ['hidepid=2', 'nosuid'],
  });
  expect(() => parseSecurityOptions(['no-new-privileges', 'foo=bar'])).toThrow(invalid('invalid --security-opt 2: "foo=bar"'));
});

test('detach keys become the bytes a terminal sends', () => {
  expect([...parseDetachKeys('ctrl-p,ctrl-q')]).toEqual([16, 17]);
  expect([...parseDetachKeys('a,ctrl-@,ctrl-_')]).toEqual([97, 0, 31]);
  expect([...parseDetachKeys('')]).toEqual([]);
  expect(() => parseDetachKeys('foo')).toThrow(invalid("invalid detach keys: Unknown character: 'foo'"));
});

test('an environment word with = is taken literally', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[^=\0]+$/), fc.string(), (key, value) => {
      expect(parseEnv(`${key}=${value}`, {})).toEqual([[key, value]]);
    }),
  );
});

test('names every object has are nothing special', () => {
  expect(parseEnv('constructor', {})).toEqual([]);
  expect(parsePlatform('linux/constructor')).toEqual({ os: 'linux', architecture: 'constructor' });
  expect(parseLog(undefined, ['__proto__=x']).options).toEqual(Object.fromEntries([['__proto__', 'x']]));
});

test('an environment file names itself in its errors', () => {
  expect(() => parseEnvFile('A=1\n=x\n', '/f', {})).toThrow(invalid('parsing file "/f": invalid variable: "=x"'));
});

test('pull policies, with the older words', () => {
  expect(['always', 'True', 'false', '', 'ifnewer', 'Missing'].map(parsePullPolicy)).toEqual([
    'always',
    'always',
    'never',
    'missing',
    'newer',
    'missing',
  ]);
});
