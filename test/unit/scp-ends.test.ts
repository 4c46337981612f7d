import { expect, test } from 'vitest';
import { parseScpEnds } from '../../libpod/image/scp-ends.ts';

test.each([
  ['alpine', 'other::', { image: 'alpine' }, { host: 'other', image: '' }],
  ['alpine:3', 'me@other::', { image: 'alpine:3' }, { host: 'other', user: 'me', image: '' }],
  ['root@localhost::alpine', undefined, { host: 'localhost', user: 'root', image: 'alpine' }, { image: '' }],
  [
    'a@localhost::reg.io:5000/x@sha256:00',
    'b@localhost::',
    { host: 'localhost', user: 'a', image: 'reg.io:5000/x@sha256:00' },
    { host: 'localhost', user: 'b', image: '' },
  ],
] as const)('%s %s', (first, second, from, to) => {
  expect(parseScpEnds(first, second)).toEqual({ from, to });
});

test.each([
  ['alpine', undefined, 'must specify a destination: invalid argument'],
  ['::', undefined, 'invalid host in "::": expected [USER@]HOST::'],
  ['host::', undefined, 'no source image specified: invalid argument'],
  ['alpine', 'other', 'invalid destination "other": it must end with ::'],
  ['alpine', 'other::name', 'cannot specify an image name for the destination: "other::name"'],
  ['alpine', '-oProxyCommand=evil::', 'invalid host in "-oProxyCommand=evil::": expected [USER@]HOST::'],
  ['-x@localhost::alpine', undefined, 'invalid host in "-x@localhost::alpine": expected [USER@]HOST::'],
  ['alpine', 'a b::', 'invalid host in "a b::": expected [USER@]HOST::'],
])('%s %s: %s', (first, second, message) => {
  expect(() => parseScpEnds(first, second)).toThrow(message);
});
