import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NO_XATTRS, type TarEntry } from '../../storage/tar/entry.ts';
import { readTar } from '../../storage/tar/read.ts';
import { encodeEntry } from '../../storage/tar/write.ts';
import { description, memberBytes, rawHeader, tarOf } from '../fixtures/tar/build.ts';

const byteName = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((bytes) => Buffer.from(bytes.map((byte) => (byte === 0 ? 1 : byte))));
const whole = (max: number) => fc.integer({ min: 0, max });

const anyEntry: fc.Arbitrary<TarEntry> = fc
  .record({
    type: fc.constantFrom<TarEntry['type']>('file', 'hardlink', 'symlink', 'char', 'block', 'directory', 'fifo'),
    path: byteName,
    linkPath: byteName,
    mode: whole(0o7777),
    uid: whole(0xfffffffe),
    gid: whole(0xfffffffe),
    mtime: fc.record({ seconds: fc.integer({ min: -(2 ** 38), max: 2 ** 38 }), nanoseconds: whole(999_999_999) }),
    device: fc.record({ major: whole(0o777), minor: whole(0o777777) }),
    xattrs: fc
      .array(fc.tuple(fc.constantFrom('user.a', 'security.capability', 'trusted.x'), fc.uint8Array({ maxLength: 40 })), { maxLength: 3 })
      .map((pairs) => (pairs.length === 0 ? NO_XATTRS : new Map(pairs.map(([name, value]) => [name, Buffer.from(value)])))),
    userName: fc.string({ maxLength: 40 }).filter((name) => !name.includes('\0')),
    groupName: fc.constantFrom('', 'wheel', 'grüppe'),
  })
  .map((entry) => ({
    ...entry,
    linkPath: entry.type === 'hardlink' || entry.type === 'symlink' ? entry.linkPath : Buffer.alloc(0),
    device: entry.type === 'char' || entry.type === 'block' ? entry.device : { major: 0, minor: 0 },
    sizeBytes: 0,
  }));

async function* inPieces(bytes: Buffer, size: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function readAll(bytes: Buffer, pieceBytes = 1 << 20): Promise<{ entry: TarEntry; body: string }[]> {
  const found = [];
  for await (const { entry, body } of readTar(inPieces(bytes, pieceBytes))) {
    const pieces: Buffer[] = [];
    for await (const piece of body) pieces.push(Buffer.from(piece));
    found.push({ entry, body: Buffer.concat(pieces).toString('latin1') });
  }
  return found;
}

describe('what is written is what is read', () => {
  test('for any entry, in pieces of any size', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(anyEntry, { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 1, max: 1500 }),
        async (entries, pieceBytes) => {
          const archive = Buffer.concat(entries.map(encodeEntry));
          const read = await readAll(archive, pieceBytes);
          expect(read.map(({ entry }) => comparable(entry))).toEqual(entries.map(comparable));
        },
      ),
      { numRuns: 150 },
    );
  });

  test('bodies of all lengths around a block come back, and unread ones are skipped', async () => {
    const lengths = [0, 1, 511, 512, 513, 1024, 5000];
    const archive = tarOf(lengths.map((length) => ({ path: `f${length}`, body: 'x'.repeat(length) })));
    for (const pieceBytes of [1, 7, 512, 600, 1 << 20]) {
      expect((await readAll(archive, pieceBytes)).map(({ body }) => body.length)).toEqual(lengths);
    }
    const names = [];
    for await (const { entry } of readTar(inPieces(archive, 100))) names.push(entry.path.toString());
    expect(names).toEqual(lengths.map((length) => `f${length}`));
  });
});

describe('other writers', () => {
  test('a GNU long name and link beat the header', async () => {
    const long = `${'d/'.repeat(80)}name`;
    const archive = Buffer.concat([
      description('L', `${long}\0`),
      description('K', `${long}.target\0`),
      memberBytes({ path: 'short', type: 'symlink', link: 'x' }),
    ]);
    const [found] = await readAll(archive);
    expect(found?.entry.path.toString()).toBe(long);
    expect(found?.entry.linkPath.toString()).toBe(`${long}.target`);
  });

  test('a v7 name that ends in a slash is a directory', async () => {
    const [found] = await readAll(rawHeader({ name: 'dir/', flag: '\0', fields: { 257: Buffer.alloc(8) } }));
    expect(found?.entry.type).toBe('directory');
  });

  test('base-256 numbers are read', async () => {
    const id = Buffer.from([0x80, 0, 0, 0, 0, 1, 2, 3]);
    const [found] = await readAll(rawHeader({ fields: { 108: id } }));
    expect(found?.entry.uid).toBe(0x010203);
  });

  test('the prefix of ustar is put before the name, and not taken from GNU headers', async () => {
    const [ustar] = await readAll(rawHeader({ name: 'name', fields: { 345: 'some/where' } }));
    expect(ustar?.entry.path.toString()).toBe('some/where/name');
    const [gnu] = await readAll(rawHeader({ name: 'name', fields: { 257: 'ustar  \0', 345: 'some/where' } }));
    expect(gnu?.entry.path.toString()).toBe('name');
  });

  test('PAX values are bytes and may hold newlines and NULs', async () => {
    const value = Buffer.from([1, 0, 0, 2, 10, 0, 255]);
    const [found] = await readAll(memberBytes({ path: 'x', xattrs: new Map([['security.capability', value]]) }));
    expect(found?.entry.xattrs.get('security.capability')).toEqual(value);
  });

  test('global PAX headers change nothing', async () => {
    const archive = Buffer.concat([description('g', '19 path=elsewhere/\n'), memberBytes({ path: 'x' })]);
    expect((await readAll(archive)).map(({ entry }) => entry.path.toString())).toEqual(['x']);
  });
});

function comparable(entry: TarEntry): object {
  const { path, linkPath, mode, uid, gid, mtime, type, userName, groupName } = entry;
  const { major, minor } = entry.device;
  const xattrs = [...entry.xattrs].map(([name, value]) => [name, value.toString('hex')]).toSorted(([a], [b]) => (a! < b! ? -1 : 1));
  return {
    path: path.toString('hex'),
    linkPath: linkPath.toString('hex'),
    mode,
    uid,
    gid,
    mtime,
    type,
    userName,
    groupName,
    major,
    minor,
    xattrs,
  };
}
