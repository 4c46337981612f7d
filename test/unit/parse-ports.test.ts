import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { isAddress, isIpv6 } from '../../core/address.ts';
import { parseExpose, parsePublish } from '../../libpod/spec/parse/ports.ts';

test.each([
  ['80', { hostIp: '', hostPort: 0, containerPort: 80, range: 1, protocol: 'tcp' }],
  [':80', { hostIp: '', hostPort: 0, containerPort: 80 }],
  ['8080:80', { hostIp: '', hostPort: 8080, containerPort: 80 }],
  ['127.0.0.1:8080:80', { hostIp: '127.0.0.1', hostPort: 8080, containerPort: 80 }],
  ['127.0.0.1::80', { hostIp: '127.0.0.1', hostPort: 0, containerPort: 80 }],
  ['[::1]:8080:80', { hostIp: '::1', hostPort: 8080, containerPort: 80 }],
  ['[::]::80/udp', { hostIp: '::', hostPort: 0, containerPort: 80, protocol: 'udp' }],
  ['8080:80/TCP', { protocol: 'tcp' }],
  ['8000-8002:80-82/sctp', { hostPort: 8000, containerPort: 80, range: 3, protocol: 'sctp' }],
  ['8000-8002', { hostPort: 0, containerPort: 8000, range: 3 }],
])('%s is a published port', (text, mapping) => {
  expect(parsePublish(text)).toMatchObject(mapping);
});

test.each([
  ['abc', 'parsing container port: invalid port number: strconv.Atoi: parsing "abc": invalid syntax'],
  ['70000:80', 'parsing host port: port numbers must be between 1 and 65535 (inclusive), got 70000'],
  ['0:80', 'parsing host port: port numbers must be between 1 and 65535 (inclusive), got 0'],
  ['8000-8002:80-81', 'host and container port ranges have different lengths: 3 vs 2'],
  ['8000-8002:80', 'host and container port ranges have different lengths: 3 vs 1'],
  ['8000-7000:80', 'parsing host port: the end port of a range must be higher than the start port - 7000 is not higher than 8000'],
  ['8000:80/foo', 'unrecognized protocol "foo" in port mapping'],
  ['8000:80/', 'must provide a non-empty protocol to publish'],
  ['8000:80/tcp/udp', 'invalid port format - protocol can only be specified once'],
  ['1.2.3:80:80', 'cannot parse "1.2.3" as an IP address'],
  ['::1:8080:80', 'invalid port format - format is [[hostIP:]hostPort:]containerPort'],
  ['[::1:80:80', 'invalid port format - format is [[hostIP:]hostPort:]containerPort'],
  ['[::1]80:80', "invalid port format - IPv6 address must be followed by a colon (':')"],
  ['[]:80:80', 'must provide a non-empty container host IP to publish'],
  ['80:', 'must provide a non-empty container port to publish'],
  ['-1:80', 'parsing host port: port numbers cannot be negative'],
  ['1-2-3:80', 'parsing host port: invalid port format - port ranges are formatted as startPort-stopPort'],
  ['99999999999999999999:80', 'parsing host port: invalid port number: strconv.Atoi: parsing "99999999999999999999": value out of range'],
])("%s is refused with Podman's words", (text, message) => {
  expect(() => parsePublish(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT', message }));
});

const port = fc.integer({ min: 1, max: 65_535 });
const address = fc.oneof(
  fc.constant(''),
  fc.ipV4(),
  fc.ipV6().map((text) => `[${text}]`),
);

test('every well-formed mapping is read back as it was written', () => {
  fc.assert(
    fc.property(address, port, port, fc.constantFrom('tcp', 'udp', 'sctp'), fc.nat(20), (ip, host, container, protocol, more) => {
      fc.pre(host + more <= 65_535 && container + more <= 65_535);
      const range = (first: number): string => (more === 0 ? `${first}` : `${first}-${first + more}`);
      const text = `${ip === '' ? '' : `${ip}:`}${range(host)}:${range(container)}/${protocol}`;
      expect(parsePublish(text)).toEqual({
        hostIp: ip.replaceAll(/[[\]]/g, ''),
        hostPort: host,
        containerPort: container,
        range: more + 1,
        protocol,
      });
    }),
  );
});

test('no text makes the parser fail otherwise than as INVALID_ARGUMENT', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d:.[\]/a-f-]*$/)), (text) => {
      for (const parse of [parsePublish, parseExpose]) {
        try {
          parse(text);
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
        }
      }
    }),
  );
});

test.each([
  ['80', ['80/tcp']],
  ['80-82/udp', ['80/udp', '81/udp', '82/udp']],
])('--expose %s', (text, ports) => {
  expect(parseExpose(text)).toEqual(ports);
});

test.each([
  ['abc', 'invalid range format for --expose: abc: strconv.ParseUint: parsing "abc": invalid syntax'],
  ['80/foo', 'validating protocols for exposed port 80: unrecognized protocol "foo" in port mapping'],
  ['90-80', 'invalid range format for --expose: 90-80: Invalid range specified for the Port: 90-80'],
])("--expose %s is refused with Podman's words", (text, message) => {
  expect(() => parseExpose(text)).toThrow(expect.objectContaining({ message }));
});

test.each(['1.2.3', '01.2.3.4', '256.1.1.1', ':::', '1::2::3', '12345::', '1:2:3:4:5:6:7:8:9', 'fe80::1%eth0', '', '::1.2.3.4.5'])(
  '%j is no address',
  (text) => {
    expect(isAddress(text)).toBe(false);
  },
);

test('addresses as others print them are addresses', () => {
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
      expect(isAddress(text)).toBe(true);
    }),
  );
  expect(isIpv6('::ffff:1.2.3.4')).toBe(true);
});
