import * as fc from 'fast-check';
import { CODE_POINT } from '../fixtures/code-point.ts';
import { describe, expect, test } from 'vitest';
import {
  answersTo,
  formatReference,
  isShortName,
  parseLocalReference,
  parseReference,
  parseTyped,
  withDefaultTag,
} from '../../storage/reference.ts';

const HEX = 'a'.repeat(64);

describe('parseReference', () => {
  test.each([
    ['alpine', 'docker.io/library/alpine'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['team/app', 'docker.io/team/app'],
    ['index.docker.io/alpine', 'docker.io/library/alpine'],
    ['docker.io/team/app', 'docker.io/team/app'],
    ['localhost/x', 'localhost/x'],
    ['localhost:5000/x', 'localhost:5000/x'],
    ['[::1]:5000/x:1', '[::1]:5000/x:1'],
    [`host:5000/a/b:tag@sha256:${HEX}`, `host:5000/a/b:tag@sha256:${HEX}`],
    ['a__b/c.d/e-f--g', 'docker.io/a__b/c.d/e-f--g'],
    ['quay.io/x:A_b.C-1', 'quay.io/x:A_b.C-1'],
  ])('reads %s as %s', (text, expected) => {
    expect(formatReference(parseReference(text))).toBe(expected);
  });

  test.each([
    ['', 'parsing reference "": repository name must have at least one component'],
    ['bad@@ref', 'parsing reference "bad@@ref": invalid reference format'],
    ['a//b', 'parsing reference "a//b": invalid reference format'],
    ['-rm', 'parsing reference "-rm": invalid reference format'],
    ['x:', 'parsing reference "x:": invalid reference format'],
    ['x@sha256:abc', 'parsing reference "x@sha256:abc": invalid reference format'],
    [`x@md5:${HEX}`, `parsing reference "x@md5:${HEX}": invalid reference format`],
    [`x@sha256:${HEX.toUpperCase()}`, `parsing reference "x@sha256:${HEX.toUpperCase()}": invalid reference format`],
    ['x@sha256:../../etc', 'parsing reference "x@sha256:../../etc": invalid reference format'],
    ['a..b', 'parsing reference "a..b": invalid reference format'],
    ['a___b', 'parsing reference "a___b": invalid reference format'],
    ['../x', 'parsing reference "../x": invalid reference format'],
    ['a．b', 'parsing reference "a．b": invalid reference format'],
    ['x:a b', 'parsing reference "x:a b": invalid reference format'],
    ['-host.io/x', 'parsing reference "-host.io/x": invalid reference format'],
    ['host:port/x', 'parsing reference "host:port/x": invalid reference format'],
    ['quay.io/Foo/x', 'parsing reference "quay.io/Foo/x": repository name must be lowercase'],
    ['UPPER/case', 'Invalid image name "UPPER/case", expected colon-separated transport:reference'],
  ])('refuses %j', (text, message) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'INVALID_REFERENCE', message }));
  });

  test('refuses what looks like an id', () => {
    expect(() => parseReference(HEX)).toThrow('cannot specify 64-byte hexadecimal strings');
  });

  test('refuses names of more than 255 characters and tags of more than 128', () => {
    expect(() => parseReference('a'.repeat(256))).toThrow('must not be more than 255 characters');
    expect(formatReference(parseReference(`x:${'t'.repeat(128)}`))).toContain('t'.repeat(128));
    expect(() => parseReference(`x:${'t'.repeat(129)}`)).toThrow('invalid reference format');
  });

  test('cuts a text of 10 kB short in its message', () => {
    expect(() => parseReference(`${'a-'.repeat(5000)}b`)).toThrow(
      expect.objectContaining({ message: expect.stringMatching(/^.{0,200}$/s) }),
    );
  });

  test('formatting and parsing give the same reference back', () => {
    fc.assert(
      fc.property(references, (text) => {
        const parsed = parseReference(text);
        expect(parseReference(formatReference(parsed))).toEqual(parsed);
      }),
    );
  });

  test('accepts every reference that the grammar makes', () => {
    fc.assert(fc.property(references, (text) => parseReference(text).path.length > 0));
  });

  test('any text is a reference or an INVALID_REFERENCE, and what passes is safe in a path and a URL', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: CODE_POINT }), fc.string({ unit: fc.constantFrom(...'aA0./:@-_[]% \n') })), (text) => {
        try {
          const formatted = formatReference(parseReference(text));
          expect(formatted).toMatch(/^[\w.:/@[\]-]+$/);
          expect(formatted.split('/')).not.toContain('..');
        } catch (error) {
          expect(error).toMatchObject({ code: 'INVALID_REFERENCE' });
        }
      }),
    );
  });
});

test('short names are those without a domain', () => {
  expect(['bb', 'team/bb', 'bb:1'].map(isShortName)).toEqual([true, true, true]);
  expect(['localhost/bb', 'quay.io/bb', 'host:1/bb'].map(isShortName)).toEqual([false, false, false]);
});

test('names given to local images stand under localhost and get a tag', () => {
  expect(formatReference(parseLocalReference('bb'))).toBe('localhost/bb:latest');
  expect(formatReference(parseLocalReference('quay.io/a/bb:2'))).toBe('quay.io/a/bb:2');
  expect(withDefaultTag(parseReference(`x@sha256:${HEX}`))).not.toHaveProperty('tag');
});

test.each([
  ['bb', 'localhost/bb:latest', true],
  ['bb', 'quay.io/team/bb:latest', true],
  ['team/bb', 'quay.io/team/bb:latest', true],
  ['eam/bb', 'quay.io/team/bb:latest', false],
  ['bb', 'localhost/abb:latest', false],
  ['bb', 'localhost/bb:1', false],
  ['bb:1', 'localhost/bb:1', true],
  ['quay.io/team/bb', 'quay.io/team/bb:latest', true],
  ['docker.io/team/bb', 'quay.io/team/bb:latest', false],
])('%s finds %s: %s', (typed, stored, expected) => {
  expect(answersTo(parseReference(stored), parseTyped(typed))).toBe(expected);
});

const alphanumeric = fc.string({ unit: fc.constantFrom(...'abz019'), minLength: 1, maxLength: 6 });
const component = fc
  .tuple(alphanumeric, fc.array(fc.tuple(fc.constantFrom('.', '_', '__', '-', '---'), alphanumeric), { maxLength: 2 }))
  .map(([first, rest]) => first + rest.flat().join(''));
const domain = fc.constantFrom('localhost/', 'quay.io/', 'host:5000/', 'Registry.Example.com/', '[::1]:5000/', '127.0.0.1:5000/');
const references = fc
  .tuple(
    // A dot in a first component would make it a domain.
    fc.option(domain, { nil: 'team/' }),
    fc.array(component, { minLength: 1, maxLength: 4 }),
    fc.option(fc.string({ unit: fc.constantFrom(...'aZ_9'), minLength: 1, maxLength: 9 }), { nil: undefined }),
    fc.boolean(),
  )
  .map(([host, path, tag, digest]) => `${host}${path.join('/')}${tag === undefined ? '' : `:${tag}`}${digest ? `@sha256:${HEX}` : ''}`);
