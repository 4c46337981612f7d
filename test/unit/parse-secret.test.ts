import { expect, test } from 'vitest';
import { parseSecret } from '../../libpod/spec/parse/secret.ts';

const FILE = { kind: 'mount', source: 'one', uid: 0, gid: 0, mode: 0o444 };

test.each([
  ['one', FILE],
  ['target=x', { ...FILE, source: 'target=x' }],
  ['one,type=mount,target=foo,uid=5,gid=6,mode=0440', { ...FILE, target: 'foo', uid: 5, gid: 6, mode: 0o440 }],
  ['one,mode=0o400', { ...FILE, mode: 0o400 }],
  ['one,type=env', { kind: 'env', source: 'one' }],
  ['type=env,source=one,target=FOO', { kind: 'env', source: 'one', target: 'FOO' }],
])('%s', (text, wish) => {
  expect(parseSecret(text)).toEqual(wish);
});

test.each([
  ['type=env,target=FOO', 'no source found type=env,target=FOO'],
  ['one,type=foo', 'type foo is invalid'],
  ['one,type=env,mode=0400', 'UID, GID, Mode options cannot be set with secret type env'],
  ['one,type=env,uid=0', 'UID, GID, Mode options cannot be set with secret type env'],
  ['one,mode=abc', 'mode abc invalid'],
  ['one,mode=999', 'mode 999 invalid'],
  ['one,uid=abc', 'UID abc invalid'],
  ['one,uid=4294967296', 'UID 4294967296 invalid'],
  ['one,gid=-1', 'GID -1 invalid'],
  ['one,foo=1', 'option foo=1 invalid'],
  ['one,foo', 'option foo must be in form option=value'],
  [',', 'option  must be in form option=value'],
])('%s is refused', (text, message) => {
  expect(() => parseSecret(text)).toThrow(`${message}: parsing secret`);
});
