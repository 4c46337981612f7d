import { existsSync, lstatSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { getXattr } from '../../host/xattr.ts';
import { assembled, describeTree, Scratch, sha256, unpack } from '../fixtures/tar/layer.ts';
import { tarOf, type Member } from '../fixtures/tar/build.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
const member: fc.Arbitrary<Member> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ path, body: fc.string({ maxLength: 1200 }), mode: fc.constantFrom(0o644, 0o4755, 0o000) }) },
  { weight: 3, arbitrary: fc.record({ path, type: fc.constant('directory' as const), mode: fc.constantFrom(0o755, 0o2700) }) },
  { weight: 1, arbitrary: path.map((at) => ({ path: at, type: 'fifo' as const })) },
  { weight: 1, arbitrary: path.map((at) => ({ path: at.replace(/[^/]*$/, '.wh.$&'), body: '' })) },
  { weight: 1, arbitrary: path.map((at) => ({ path: `${at}/.wh..wh..opq`, body: 'with a body' })) },
  { weight: 1, arbitrary: fc.record({ path, type: fc.constant('symlink' as const), link: fc.constantFrom('a', '../b', '/c', 'nowhere') }) },
  { weight: 1, arbitrary: fc.record({ path, type: fc.constant('hardlink' as const), link: path }) },
);

describe('unpacked and assembled again', () => {
  test('any layer that is not refused gives its tar back byte for byte', async () => {
    let unpackedRuns = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(member, { maxLength: 25 }),
        fc.uint8Array({ maxLength: 2000 }),
        fc.boolean(),
        fc.integer({ min: 1, max: 4000 }),
        async (members, trailer, end, pieceBytes) => {
          using scratch = new Scratch();
          const tar = Buffer.concat([tarOf(members, { end }), ...(end ? [trailer] : [])]);
          const layer = await unpack(scratch, tar, { pieceBytes }).catch((error: { code?: string }) => {
            expect(error.code).toBe('LAYER_REFUSED');
          });
          if (layer === undefined) return;
          unpackedRuns++;
          expect(layer.diffId).toBe(sha256(tar));
          expect((await assembled(layer)).equals(tar)).toBe(true);
        },
      ),
      { numRuns: 150 },
    );
    expect(unpackedRuns).toBeGreaterThan(30);
  });

  test('large files, more frames than a block, and three generations of one path', async () => {
    using scratch = new Scratch();
    const many = Array.from({ length: 3000 }, (_, index) => ({ path: `many/${index}`, body: `${index}` }));
    const tar = tarOf([
      { path: 'x', body: Buffer.alloc(3 << 20, 'first') },
      ...many,
      { path: 'x', body: Buffer.alloc((1 << 20) + 1, 'second') },
      { path: 'x', type: 'directory' },
      { path: 'x/y', body: 'inside' },
      { path: 'x', body: 'third' },
    ]);
    const layer = await unpack(scratch, tar);
    expect((await assembled(layer)).equals(tar)).toBe(true);
    expect(describeTree(layer.tree).at(-1)).toBe('x file third');
    expect(readdirSync(join(layer.directory, 'kept'))).toHaveLength(3);
  });

  test('a changed file of the tree is found', async () => {
    using scratch = new Scratch();
    const layer = await unpack(scratch, tarOf([{ path: 'a', body: 'hello' }]));
    writeFileSync(join(layer.tree, 'a'), 'hello!');
    await expect(assembled(layer)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  test('a damaged record is found', async () => {
    using scratch = new Scratch();
    const layer = await unpack(scratch, tarOf([{ path: 'a', body: 'hello' }]));
    writeFileSync(join(layer.directory, 'record'), 'lichen-record-1\n\x09\0\0\0garbage');
    await expect(assembled(layer)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});

describe('the tree', () => {
  test('plain, gzip (also in several members) and zstd give the same', async () => {
    using scratch = new Scratch();
    const tar = tarOf([{ path: 'a', body: 'x'.repeat(10_000) }]);
    const halves = Buffer.concat([gzipSync(tar.subarray(0, 700)), gzipSync(tar.subarray(700))]);
    for (const bytes of [tar, gzipSync(tar), halves, zstdCompressSync(tar)]) {
      for (const pieceBytes of [1, 1 << 20]) expect((await unpack(scratch, bytes, { pieceBytes })).diffId).toBe(sha256(tar));
    }
  });

  test('modes, times to the nanosecond and attributes are those of the tar, whatever the umask', async () => {
    using scratch = new Scratch();
    const mtime = { seconds: 1_234_567_890, nanoseconds: 123_456_789 };
    const umask = process.umask(0o077);
    const layer = await unpack(
      scratch,
      tarOf([
        { path: 'd', type: 'directory', mode: 0o2775, mtime },
        { path: 'd/f', mode: 0o4755, mtime, body: 'x', xattrs: new Map([['user.note', Buffer.from([0, 255])]]) },
        { path: 'd/l', type: 'symlink', link: 'f', mtime },
      ]),
    ).finally(() => process.umask(umask));
    const facts = ['d', 'd/f', 'd/l'].map((at) => lstatSync(join(layer.tree, at), { bigint: true }));
    expect(facts.map(({ mtimeNs }) => mtimeNs)).toEqual(Array(3).fill(1_234_567_890_123_456_789n));
    expect(facts.map(({ mode }) => Number(mode & 0o7777n).toString(8)).slice(0, 2)).toEqual(['2775', '4755']);
    expect(getXattr(join(layer.tree, 'd/f'), 'user.note')).toEqual(Buffer.from([0, 255]));
    expect(statSync(layer.tree).mode & 0o777).toBe(0o755);
  });

  test('a default ACL of a directory does not change what is put into it', async () => {
    using scratch = new Scratch();
    // user::rwx group::--- other::--- (acl_ea_header, then tag, perm, id)
    const acl = Buffer.from('0200000001000700ffffffff04000000ffffffff20000000ffffffff', 'hex');
    const layer = await unpack(
      scratch,
      tarOf([
        { path: 'd', type: 'directory', xattrs: new Map([['system.posix_acl_default', acl]]) },
        { path: 'd/f', mode: 0o644, body: 'x' },
      ]),
    );
    expect(lstatSync(join(layer.tree, 'd/f')).mode & 0o777).toBe(0o644);
    expect(getXattr(join(layer.tree, 'd'), 'system.posix_acl_default')).toEqual(acl);
  });

  test('nothing but tree and record is left beside it', async () => {
    using scratch = new Scratch();
    const layer = await unpack(scratch, tarOf([{ path: 'a', body: 'hello' }]));
    expect(readdirSync(layer.directory).toSorted()).toEqual(['diff', 'record']);
    expect(existsSync(join(layer.directory, 'kept'))).toBe(false);
  });
});
