import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { lookUpUser, MAX_FILE_BYTES } from '../../libpod/spec/user.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const FILES = {
  passwd: bytes(
    '# comment\nroot:x:0:0:root:/root:/bin/sh\nu1:x:1000:1000::/srv:/bin/sh\n1234:x:7:7::/n:\nbig:x:4294967296:0::/:\nbad line\nnohome:x:8:8::',
  ),
  group: bytes('root:x:0:\nu1:x:1000:\ngg:x:500:u1,other\nbig:x:4294967295:\n'),
};

const FOUND: readonly (readonly [spec: string, groupAdd: readonly string[], identity: object])[] = [
  ['', [], { uid: 0, gid: 0, additionalGids: [], home: '/root' }],
  ['', ['5'], { uid: 0, gid: 0, additionalGids: [5], home: '/root' }],
  ['root', [], { uid: 0, gid: 0, additionalGids: [0], home: '/root' }],
  ['1000', [], { uid: 1000, gid: 1000, additionalGids: [1000, 500], home: '/srv' }],
  ['u1', [], { uid: 1000, gid: 1000, additionalGids: [1000, 500], home: '/srv' }],
  ['1000:500', ['77', 'gg'], { uid: 1000, gid: 500, additionalGids: [500, 77], home: '/srv' }],
  ['u1:gg', [], { uid: 1000, gid: 500, additionalGids: [500], home: '/srv' }],
  ['5', [], { uid: 5, gid: 0, additionalGids: [0], home: '/' }],
  ['5:6', [], { uid: 5, gid: 6, additionalGids: [6], home: '/' }],
  [':6', [], { uid: 0, gid: 6, additionalGids: [6], home: '/root' }],
  ['nohome', [], { uid: 8, gid: 8, additionalGids: [8], home: '/' }],
  ['u1', ['keep-groups'], { uid: 1000, gid: 1000, additionalGids: [1000, 500], home: '/srv' }],
];

for (const [spec, groupAdd, identity] of FOUND) {
  test(`the user "${spec}" with the groups [${groupAdd.join(' ')}] is found as Podman finds it`, () => {
    expect(lookUpUser(spec, FILES, groupAdd)).toEqual(identity);
  });
}

test('without passwd and group files numbers work and names do not', () => {
  expect(lookUpUser('7:8', {})).toEqual({ uid: 7, gid: 8, additionalGids: [8], home: '/' });
  expect(() => lookUpUser('root', {})).toThrow('unable to find user root: no matching entries in passwd file');
});

test('a name that is not there is an error that says which file was asked', () => {
  expect(() => lookUpUser('nosuch', FILES)).toThrow(
    expect.objectContaining({ code: 'NO_SUCH_USER', message: 'unable to find user nosuch: no matching entries in passwd file' }),
  );
  expect(() => lookUpUser('1000:nosuch', FILES)).toThrow('unable to find group nosuch: no matching entries in group file');
  expect(() => lookUpUser('0', FILES, ['nosuch'])).toThrow('unable to find group nosuch: no matching entries in group file');
});

test('a number is never taken for the name of a line of the file', () => {
  expect(lookUpUser('1234', FILES)).toMatchObject({ uid: 1234, gid: 0 });
});

test('ids out of range are refused wherever they stand, and never wrap to root', () => {
  for (const spec of ['4294967296', '4294967295', '2147483648', '-1', '18446744073709551616', '0:-1', 'big', 'u1:big']) {
    expect(() => lookUpUser(spec, FILES)).toThrow('uids and gids must be in range 0-2147483647');
  }
  expect(() => lookUpUser('0x0', FILES)).toThrow(expect.objectContaining({ code: 'NO_SUCH_USER' }));
});

test('a file over the limit is refused', () => {
  expect(() => lookUpUser('u1', { passwd: new Uint8Array(MAX_FILE_BYTES + 1) })).toThrow(
    expect.objectContaining({ code: 'INVALID_ARGUMENT' }),
  );
});

test('whatever the files hold, the answer is an identity in range or one of the named errors', () => {
  const line = fc
    .array(fc.oneof(fc.string(), fc.constantFrom('0', '1000', '4294967295', 'u1', '')), { maxLength: 8 })
    .map((parts) => parts.join(':'));
  const file = fc.array(line, { maxLength: 5 }).map((lines) => bytes(lines.join('\n')));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.constantFrom('u1', '0', 'u1:u1', ':')), file, file, (spec, passwd, group) => {
      try {
        const { uid, gid, additionalGids } = lookUpUser(spec, { passwd, group });
        for (const id of [uid, gid, ...additionalGids]) expect(Number.isInteger(id) && id >= 0 && id < 2 ** 31).toBe(true);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(NO_SUCH_USER|INVALID_ARGUMENT)$/) as string });
      }
    }),
  );
});
