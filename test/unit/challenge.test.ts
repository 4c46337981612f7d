import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkRealm, isLoopback, isTrustedRealm, parseChallenge } from '../../storage/registry/challenge.ts';
import { printable } from '../../storage/registry/printable.ts';

describe('WWW-Authenticate', () => {
  test.each([
    ['Bearer realm="https://a.io/t",service="s",scope="x"', { scheme: 'bearer', realm: 'https://a.io/t', service: 's' }],
    ['bearer realm=https://a.io/t', { scheme: 'bearer', realm: 'https://a.io/t' }],
    ['Basic realm="x", Bearer realm="https://a.io/t"', { scheme: 'bearer', realm: 'https://a.io/t' }],
    ['Negotiate, Basic realm="a, b=c"', { scheme: 'basic' }],
    ['Bearer realm="a\\"b"', { scheme: 'bearer', realm: 'a"b' }],
    ['Digest realm="x"', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is understood', (header, expected) => {
    expect(parseChallenge(header)).toEqual(expected);
  });

  test('never throws, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'Bearer ",=\\ \t') }), (header) => {
        parseChallenge(header);
      }),
    );
  });
});

describe('a realm', () => {
  const registry = new URL('https://registry.example.com/');

  test.each([
    ['http://registry.example.com/token', 'from https to http'],
    ['https://169.254.169.254/latest', 'internal'],
    ['https://localhost/token', 'internal'],
    ['https://127.1/token', 'internal'],
    ['https://[::ffff:127.0.0.1]/t', 'internal'],
    ['https://[::ffff:10.0.0.1]/t', 'internal'],
    ['https://[fe80::1]/t', 'internal'],
    ['https://2130706433/t', 'internal'],
    ['file:///etc/passwd', 'no http or https URL'],
    ['/token', 'no http or https URL'],
    ['https://user:pw@auth.example.com/', 'holds credentials'],
  ])('%s is refused', (realm, why) => {
    expect(() => checkRealm(realm, registry)).toThrow(
      expect.objectContaining({ code: 'REGISTRY_ERROR', message: expect.stringContaining(why) }),
    );
  });

  test('on loopback is fine for a registry on the same host', () => {
    expect(checkRealm('http://localhost:5001/auth', new URL('http://localhost:5000/')).port).toBe('5001');
  });

  test.each([
    ['https://registry.example.com/t', true],
    ['https://auth.example.com/t', true],
    ['https://example.com/jwt', true],
    ['https://evil.com/t', false],
    ['https://example.com.evil.com/t', false],
    ['https://evilexample.com/t', false],
  ])('%s gets the credentials of registry.example.com: %s', (realm, expected) => {
    expect(isTrustedRealm(new URL(realm), registry)).toBe(expected);
  });

  test.each([
    ['https://auth.docker.io/token', 'https://registry-1.docker.io/', true],
    ['https://other.azurecr.io/t', 'https://mine.azurecr.io/', false],
    ['https://com/t', 'https://example.com/', false],
    ['https://10.0.0.2/t', 'https://10.0.0.1/', false],
  ])('%s gets the credentials of %s: %s', (realm, home, expected) => {
    expect(isTrustedRealm(new URL(realm), new URL(home))).toBe(expected);
  });
});

test('loopback is told from names that look like it', () => {
  expect(['localhost', '127.0.0.1', '127.9.9.9', '[::1]', 'x.localhost'].map(isLoopback)).toEqual([true, true, true, true, true]);
  expect(['localhost.evil.com', '127.0.0.1.evil.com', '10.0.0.1', '[::2]'].map(isLoopback)).toEqual([false, false, false, false]);
});

test('what a server says cannot steer a terminal', () => {
  expect(printable('a\u001b[2Jb\r\nc\u009b31md\u202ee')).toBe('a [2Jb c 31md e');
  expect(printable('x'.repeat(600))).toHaveLength(501);
});
