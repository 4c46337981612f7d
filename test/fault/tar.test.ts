/** Hostile layers, T01–T25: refused with a named error, kept inside the tree, or stopped at a limit. */
import { existsSync, lstatSync, mkdirSync, readFileSync, statfsSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { getXattr, listXattrs } from '../../host/xattr.ts';
import { checkIds } from '../../storage/layer/ids.ts';
import { DEFAULT_LIMITS } from '../../storage/layer/limits.ts';
import { LayerStore } from '../../storage/layer/store.ts';
import { unpackLayer } from '../../storage/layer/unpack.ts';
import { description, memberBytes, rawHeader, tarOf, type Member } from '../fixtures/tar/build.ts';
import { assembled, describeTree, Scratch, sha256, unpack } from '../fixtures/tar/layer.ts';

const directory = (path: string): Member => ({ path, type: 'directory' });
const symlink = (path: string, link: string): Member => ({ path, type: 'symlink', link });
const hardlink = (path: string, link: string): Member => ({ path, type: 'hardlink', link });
const file = (path: string, body = 'mine'): Member => ({ path, body });

type Outcome = { readonly refused: string | RegExp; readonly code?: string } | { readonly tree: readonly string[] };
interface Row {
  readonly what: string;
  readonly layer: readonly Member[] | Buffer;
  readonly outcome: Outcome;
}

const refused = (words: string | RegExp, code = 'LAYER_REFUSED'): Outcome => ({ refused: words, code });
const corrupt = (words: string | RegExp): Outcome => refused(words, 'IMAGE_CORRUPT');
const tree = (...lines: string[]): Outcome => ({ tree: lines });

const ROWS: Readonly<Record<string, readonly Row[]>> = {
  'T01 names that climb or are odd': [
    { what: '../x', layer: [file('../x')], outcome: refused('leads out') },
    { what: 'a/../../x', layer: [file('a/../../x')], outcome: refused('leads out') },
    { what: '/etc/x', layer: [file('/etc/x')], outcome: tree('etc/', 'etc/x file mine') },
    { what: '//etc//x', layer: [file('//etc//./x')], outcome: tree('etc/', 'etc/x file mine') },
    { what: 'a newline', layer: [file('a\nb')], outcome: tree('a\nb file mine') },
    { what: 'a NUL (PAX)', layer: Buffer.concat([description('x', '12 path=a\0b\n'), rawHeader({})]), outcome: corrupt('NUL') },
    { what: 'an empty name', layer: [file('')], outcome: refused('top of a layer') },
    { what: '. as a file', layer: [file('.')], outcome: refused('top of a layer') },
    { what: '. as a directory', layer: [directory('.'), directory('')], outcome: tree() },
  ],
  'T02 symlinks that lead out': [
    {
      what: 'absolute',
      layer: [symlink('local', '/host'), directory('host'), file('local/x')],
      outcome: tree('host/', 'host/x file mine', 'local -> /host'),
    },
    {
      what: 'up and out',
      layer: [symlink('local', '../../../host'), directory('host'), file('local/x')],
      outcome: tree('host/', 'host/x file mine', 'local -> ../../../host'),
    },
    {
      what: 'several on the way',
      layer: [directory('a'), symlink('b', '/a'), symlink('c', '../../b'), symlink('a/d', '/..'), file('c/d/x')],
      outcome: tree('a/', 'a/d -> /..', 'b -> /a', 'c -> ../../b', 'x file mine'),
    },
    { what: 'to nothing', layer: [symlink('local', '/nowhere'), file('local/x')], outcome: refused('not a directory') },
    { what: 'in a circle', layer: [symlink('a', 'b'), symlink('b', 'a'), file('a/x')], outcome: refused('symbolic links') },
    { what: 'through /proc', layer: [symlink('p', '/proc/self/root'), file('p/x')], outcome: refused('not a directory') },
  ],
  'T04 symlinks at odd places': [
    { what: 'at ..', layer: [symlink('..', '/tmp')], outcome: refused('leads out') },
    { what: 'at nothing', layer: [symlink('', '/tmp')], outcome: refused('top of a layer') },
    { what: 'at sub/..', layer: [directory('sub'), symlink('sub/..', '/tmp')], outcome: refused('top of a layer') },
  ],
  'T05 hard links out': [
    { what: 'up and out', layer: [hardlink('x', '../../../etc/passwd')], outcome: refused('leads out') },
    { what: 'absolute', layer: [hardlink('x', '/etc/passwd')], outcome: refused(/not in the layer|no such file/) },
    {
      what: 'absolute, inside',
      layer: [directory('etc'), file('etc/passwd'), hardlink('x', '/etc/passwd')],
      outcome: tree('etc/', 'etc/passwd file mine', 'x file mine'),
    },
    {
      what: 'through a symlinked directory',
      layer: [symlink('d', '/etc'), hardlink('x', 'd/passwd')],
      outcome: refused(/no such file|not a directory/),
    },
    {
      what: 'through a symlinked directory, relative and long',
      layer: [directory('a'), symlink('a/d', `${'../'.repeat(40)}etc`), hardlink('x', 'a/d/passwd')],
      outcome: refused(/no such file|not a directory/),
    },
    {
      what: 'through a symlinked directory, inside',
      layer: [directory('etc'), file('etc/passwd'), symlink('d', '/../etc'), hardlink('x', 'd/passwd')],
      outcome: tree('d -> /../etc', 'etc/', 'etc/passwd file mine', 'x file mine'),
    },
    { what: 'to a directory', layer: [directory('d'), hardlink('x', 'd')], outcome: refused('not in the layer') },
    { what: 'to a whiteout', layer: [file('.wh.gone', ''), hardlink('x', 'gone')], outcome: refused('not in the layer') },
    { what: 'to itself', layer: [file('x'), hardlink('x', 'x')], outcome: tree('x file mine') },
  ],
  'T06 hard links to symlinks': [
    {
      what: 'link the link',
      layer: [symlink('l', '/etc/passwd'), hardlink('x', 'l')],
      outcome: tree('l -> /etc/passwd', 'x -> /etc/passwd'),
    },
    {
      what: 'link the link, absolute',
      layer: [symlink('l', '/etc/passwd'), hardlink('x', '/l')],
      outcome: tree('l -> /etc/passwd', 'x -> /etc/passwd'),
    },
    { what: 'before its target is there', layer: [hardlink('x', 'later'), file('later')], outcome: refused('not in the layer') },
  ],
  'T08 kinds that change': [
    {
      what: 'directory to symlink',
      layer: [directory('d'), file('d/x', 'old'), symlink('d', '/e'), directory('e'), file('d/y')],
      outcome: tree('d -> /e', 'e/', 'e/y file mine'),
    },
    {
      what: 'symlink to directory',
      layer: [directory('e'), symlink('d', 'e'), directory('d'), file('d/x')],
      outcome: tree('d/', 'd/x file mine', 'e/'),
    },
    {
      what: 'directory to symlink and back',
      layer: [directory('d'), file('d/x', 'old'), symlink('d', '/'), file('d/in-root'), directory('d'), file('d/y')],
      outcome: tree('d/', 'd/y file mine', 'in-root file mine'),
    },
    {
      what: 'symlink to file',
      layer: [file('target', 'old'), symlink('x', 'target'), file('x')],
      outcome: tree('target file old', 'x file mine'),
    },
    { what: 'file over full directory', layer: [directory('d'), directory('d/e'), file('d/e/x'), file('d')], outcome: tree('d file mine') },
    { what: 'directory over file', layer: [file('d'), directory('d'), file('d/x')], outcome: tree('d/', 'd/x file mine') },
    { what: 'child of a file', layer: [file('d'), file('d/x')], outcome: refused('not a directory') },
    {
      what: 'file written over a hard link',
      layer: [file('a', 'old'), hardlink('b', 'a'), file('b')],
      outcome: tree('a file old', 'b file mine'),
    },
  ],
  'T09 whiteouts that name nothing': ['.wh.', '.wh..', '.wh...', 'etc/.wh..', 'etc/.wh...'].map((path) => ({
    what: path,
    layer: [file(path, '')],
    outcome: refused('whiteout'),
  })),
  'T10 whiteouts and symlinks': [
    { what: 'of a symlink of the same layer', layer: [symlink('l', '/etc'), file('.wh.l', '')], outcome: tree('l -> /etc') },
    { what: 'of a name', layer: [file('.wh.l', '')], outcome: tree('l whiteout') },
    {
      what: 'through a symlink',
      layer: [directory('d'), symlink('l', '/d'), file('l/.wh.x', '')],
      outcome: tree('d/', 'd/x whiteout', 'l -> /d'),
    },
    { what: 'under a dead symlink', layer: [symlink('l', '/dead'), file('l/.wh.x', '')], outcome: refused('not a directory') },
    { what: 'dne/../.wh.etc', layer: [file('dne/../.wh.etc', '')], outcome: tree('etc whiteout') },
    { what: 'dne/../../.wh.etc', layer: [file('dne/../../.wh.etc', '')], outcome: refused('leads out') },
    { what: 'below a whiteout', layer: [file('.wh.d', ''), file('d/.wh.x', '')], outcome: tree('d whiteout') },
  ],
  'T11 a directory with the name of a whiteout': [
    {
      what: '.wh.etc/file',
      layer: [directory('etc'), file('.wh.etc/file')],
      outcome: tree('.wh.etc/', '.wh.etc/file file mine', 'etc/'),
    },
  ],
  'T12 opaque and overlay marks': [
    { what: 'opaque first', layer: [file('d/.wh..wh..opq', ''), file('d/x')], outcome: tree('d/ opaque', 'd/x file mine') },
    {
      what: 'opaque last and twice',
      layer: [file('d/x'), file('d/.wh..wh..opq', ''), file('d/.wh..wh..opq', '')],
      outcome: tree('d/ opaque', 'd/x file mine'),
    },
    { what: 'whiteout, then a file', layer: [file('.wh.x', ''), file('x')], outcome: tree('x file mine') },
    { what: 'file, then its whiteout', layer: [file('x'), file('.wh.x', '')], outcome: tree('x file mine') },
    { what: 'whiteout, then a directory', layer: [file('.wh.d', ''), directory('d')], outcome: tree('d/ opaque') },
    { what: 'directory, then its whiteout', layer: [directory('d'), file('.wh.d', '')], outcome: tree('d/ opaque') },
    { what: 'whiteout, then something inside', layer: [file('.wh.d', ''), file('d/x')], outcome: tree('d/ opaque', 'd/x file mine') },
    {
      what: 'AUFS metadata',
      layer: [file('.wh..wh.plnk/1.2', 'x'), file('.wh..wh.aufs', '')],
      outcome: tree('.wh..wh.plnk/', '.wh..wh.plnk/1.2 file x'),
    },
    {
      what: 'overlay attributes',
      layer: [
        {
          ...directory('d'),
          xattrs: new Map([
            ['user.overlay.opaque', Buffer.from('y')],
            ['trusted.overlay.redirect', Buffer.from('/etc')],
          ]),
        },
      ],
      outcome: tree('d/'),
    },
  ],
  'T13 special files': [
    { what: 'a device 0:0', layer: [file('x'), { path: 'x2', type: 'char' }], outcome: tree('x file mine') },
    { what: 'a FIFO', layer: [{ path: 'p', type: 'fifo' }], outcome: tree('p fifo') },
    { what: 'an unknown type', layer: rawHeader({ flag: 'M' }), outcome: corrupt('entry type') },
  ],
  'T14 a FIFO, then a file of the same name': [
    { what: 'no hang', layer: [{ path: 'p', type: 'fifo' }, file('p')], outcome: tree('p file mine') },
  ],
  'T16 ids': [
    { what: '2^32-1', layer: [{ ...file('x'), uid: 0xffffffff }], outcome: refused('needs IDs up to 4294967295') },
    {
      what: 'positive base-256 beyond the map',
      layer: rawHeader({ fields: { 116: Buffer.from([0x80, 0, 0, 1, 0, 0, 0, 0]) } }),
      outcome: refused('needs IDs up to 4294967296'),
    },
    { what: '2^32', layer: [{ ...file('x'), gid: 2 ** 32 }], outcome: refused('needs IDs up to 4294967296') },
    { what: 'negative base-256', layer: rawHeader({ fields: { 108: Buffer.alloc(8, 0xff) } }), outcome: corrupt('uid out of range') },
    { what: 'no number', layer: rawHeader({ fields: { 108: 'abc\0\0\0\0\0' } }), outcome: corrupt('uid is no number') },
    {
      what: 'PAX negative',
      layer: Buffer.concat([description('x', '10 uid=-1\n'), rawHeader({})]),
      outcome: corrupt('uid is out of range'),
    },
  ],
  'T17 descriptions': [
    {
      what: 'a PAX size that beats the header',
      layer: Buffer.concat([description('x', '10 size=4\n'), rawHeader({ name: 'x' }), Buffer.from('mine'), Buffer.alloc(508)]),
      outcome: tree('x file mine'),
    },
    { what: 'size -1', layer: Buffer.concat([description('x', '11 size=-1\n'), rawHeader({})]), outcome: corrupt('size is out of range') },
    {
      what: 'size 2^63',
      layer: Buffer.concat([description('x', '28 size=9223372036854775808\n'), rawHeader({})]),
      outcome: corrupt('size is out of range'),
    },
    {
      what: 'duplicate keys: the last wins',
      layer: Buffer.concat([description('x', '10 path=a\n10 path=b\n'), rawHeader({})]),
      outcome: tree('b file '),
    },
    { what: 'a length that lies', layer: Buffer.concat([description('x', '99 path=a\n'), rawHeader({})]), outcome: corrupt('bad length') },
    {
      what: 'a length without digits',
      layer: Buffer.concat([description('x', 'x path=a\n'), rawHeader({})]),
      outcome: corrupt('bad length'),
    },
    {
      what: 'a linkpath that beats the header',
      layer: Buffer.concat([description('x', '14 linkpath=a\n'), rawHeader({ name: 'l', flag: '2', fields: { 157: '../../etc/passwd' } })]),
      outcome: tree('l -> a'),
    },
    { what: 'no key', layer: Buffer.concat([description('x', '6 =a\n\n'), rawHeader({})]), outcome: corrupt(/no key|bad length/) },
    {
      what: 'a GNU name without entry',
      layer: Buffer.concat([description('L', 'long\0'), Buffer.alloc(1024)]),
      outcome: corrupt('described entry is missing'),
    },
    { what: 'a GNU name at the end', layer: description('L', 'long\0'), outcome: corrupt('unexpected EOF') },
    {
      what: 'sparse (PAX)',
      layer: Buffer.concat([description('x', '22 GNU.sparse.major=1\n'), rawHeader({})]),
      outcome: corrupt('sparse'),
    },
    { what: 'sparse (GNU)', layer: rawHeader({ flag: 'S' }), outcome: corrupt('sparse') },
    {
      what: 'a link with a size',
      layer: Buffer.concat([memberBytes(file('a')), memberBytes({ ...symlink('l', 'a'), sizeBytes: 4096 }), memberBytes(file('b'))]),
      outcome: tree('a file mine', 'b file mine', 'l -> a'),
    },
  ],
  'T18 ends': [
    {
      what: '10 GiB announced, nothing there',
      layer: Buffer.concat([memberBytes({ path: 'x', sizeBytes: 10 * 2 ** 30 }), Buffer.alloc(1000)]),
      outcome: corrupt('unexpected EOF'),
    },
    { what: 'cut in a header', layer: tarOf([file('x')]).subarray(0, 300), outcome: corrupt('unexpected EOF') },
    { what: 'no end blocks', layer: tarOf([file('x')], { end: false }), outcome: tree('x file mine') },
    {
      what: 'trailing garbage is kept and not read',
      layer: Buffer.concat([tarOf([file('x')]), Buffer.from('garbage')]),
      outcome: tree('x file mine'),
    },
    {
      what: 'a second archive is kept and not read',
      layer: Buffer.concat([tarOf([file('x')]), tarOf([file('y')])]),
      outcome: tree('x file mine'),
    },
    {
      what: 'an entry after one zero block',
      layer: Buffer.concat([Buffer.alloc(512), tarOf([file('x')])]),
      outcome: corrupt('follows a zero block'),
    },
    { what: 'a bad checksum', layer: rawHeader({ checksum: '0000001\0' }), outcome: corrupt('bad checksum') },
  ],
  'T19 floods': [
    { what: 'a name of 1 MB', layer: [file('n'.repeat(1_000_000))], outcome: refused(/too long/) },
    { what: 'a description over 1 MiB', layer: [file('n'.repeat(1_100_000))], outcome: corrupt('extended header') },
    { what: 'a path of 100 000 directories', layer: [file(`${'d/'.repeat(100_000)}x`)], outcome: refused('deeper than') },
    { what: 'a path of 4 KiB', layer: [file(`${`${'d'.repeat(200)}/`.repeat(25)}x`)], outcome: refused('too long') },
  ],
  'T21 names that only differ to the eye': [
    {
      what: 'case, ß and ss, NFC and NFD stay apart',
      layer: ['a', 'A', 'ß', 'ss', 'é', 'e\u0301'].map((name) => file(name, name)),
      outcome: tree(...['a', 'A', 'ß', 'ss', 'é', 'e\u0301'].toSorted().map((name) => `${name} file ${name}`)),
    },
  ],
  'T22 link targets': [
    {
      what: 'stay as they are and are not followed',
      layer: [symlink('a', 'C:\\x'), symlink('b', '/../..')],
      outcome: tree('a -> C:\\x', 'b -> /../..'),
    },
  ],
};

for (const [id, rows] of Object.entries(ROWS)) {
  describe(id, () => {
    test.each(rows.map((row) => [row.what, row] as const))('%s', async (_, { layer, outcome }) => {
      using scratch = new Scratch();
      const tar = Buffer.isBuffer(layer) ? layer : tarOf(layer);
      if ('refused' in outcome) {
        const failure = await unpack(scratch, tar).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure).toMatchObject({ name: 'EngineError', code: outcome.code, message: expect.stringMatching(outcome.refused) });
        return;
      }
      const unpacked = await unpack(scratch, tar);
      expect(describeTree(unpacked.tree)).toEqual(outcome.tree);
      expect((await assembled(unpacked)).equals(tar)).toBe(true);
    });
  });
}

describe('the host', () => {
  /** A file beside the tree at a path that a climbing name would reach. */
  function victimIn(scratch: Scratch): string {
    const victim = join(scratch.path, 'victim');
    writeFileSync(victim, 'untouched', { mode: 0o600 });
    return victim;
  }

  test('T03, T05, T07: neither content, mode, times nor attributes of a file outside change', async () => {
    using scratch = new Scratch();
    const victim = victimIn(scratch);
    const before = lstatSync(victim);
    const attacks: Member[][] = [
      [symlink('x', victim), { ...file('x', ''), mode: 0o777 }],
      [symlink('x', victim), hardlink('y', 'x'), { ...hardlink('y', 'x'), mode: 0o4777, xattrs: new Map([['user.x', Buffer.from('1')]]) }],
      [symlink('d', scratch.path), file('d/victim', '')],
      [symlink('d', scratch.path), { ...directory('d'), mode: 0o777 }, file('d/victim', 'new')],
      [symlink('d', scratch.path), file('d/.wh.victim', '')],
      [directory('d'), symlink('d', scratch.path), file('d/victim', 'new')],
      [hardlink('x', victim), file('x', 'new')],
      [hardlink('x', '../../victim'), file('x', 'new')],
    ];
    for (const attack of attacks)
      await unpack(scratch, tarOf(attack)).catch((error: { code: string }) => expect(error.code).toBe('LAYER_REFUSED'));
    const after = lstatSync(victim);
    expect(readFileSync(victim, 'utf8')).toBe('untouched');
    expect([after.mode, after.uid, after.mtimeMs, after.ctimeMs, after.nlink]).toEqual([
      before.mode,
      before.uid,
      before.mtimeMs,
      before.ctimeMs,
      before.nlink,
    ]);
  });

  test('T23: a parent that another process swaps for a link does not lead out', async () => {
    using scratch = new Scratch();
    const outside = scratch.directory('outside');
    const layer = scratch.directory('layer');
    const part = tarOf([directory('d'), directory('d/e'), file('d/e/one')], { end: false });
    const rest = tarOf([file('d/e/two'), file('d/three')]);
    async function* source(): AsyncGenerator<Buffer, void> {
      yield part;
      const { renameSync } = await import('node:fs');
      renameSync(join(layer, 'diff/d'), join(layer, 'moved'));
      symlinkSync(outside, join(layer, 'diff/d'));
      yield rest;
    }
    await unpackLayer({ directory: layer, source: Readable.from(source()) }).catch((error: { code: string }) =>
      expect(error.code).toBe('LAYER_REFUSED'),
    );
    expect(existsSync(join(outside, 'e'))).toBe(false);
    expect(existsSync(join(outside, 'three'))).toBe(false);
  });

  test('T12, T15: labels and overlay attributes are left out, others are kept as bytes', async () => {
    using scratch = new Scratch();
    const value = Buffer.from([0, 1, 2, 255, 10]);
    const xattrs = new Map([
      ['user.kept', value],
      ['security.selinux', Buffer.from('system_u:object_r:shadow_t:s0')],
      ['user.overlay.opaque', Buffer.from('y')],
    ]);
    const layer = await unpack(scratch, tarOf([{ ...file('x'), xattrs }]));
    expect(listXattrs(join(layer.tree, 'x'))).toEqual(['user.kept']);
    expect(getXattr(join(layer.tree, 'x'), 'user.kept')).toEqual(value);
    expect(layer.notices).toEqual([expect.stringContaining('overlayfs')]);
  });

  test('T15: setuid, setgid and capabilities are kept; attributes the file system does not know are left out with a notice', async () => {
    using scratch = new Scratch();
    const capability = Buffer.from('0100000200200000000000000000000000000000', 'hex');
    const xattrs = new Map([
      ['security.capability', capability],
      ['nonsense.attribute', Buffer.from('x')],
    ]);
    const layer = await unpack(
      scratch,
      tarOf([
        { ...file('x'), mode: 0o6755, xattrs },
        { ...directory('d'), mode: 0o2755 },
      ]),
    );
    expect([lstatSync(join(layer.tree, 'x')).mode & 0o7777, lstatSync(join(layer.tree, 'd')).mode & 0o7777]).toEqual([0o6755, 0o2755]);
    if (process.getuid!() === 0) expect(getXattr(join(layer.tree, 'x'), 'security.capability')).toEqual(capability);
    expect(layer.notices).toEqual([expect.stringMatching(/attribute/)]);
  });

  test('T15: an access list that is none is left out with a notice', async () => {
    using scratch = new Scratch();
    const xattrs = new Map([['system.posix_acl_access', Buffer.from('nonsense')]]);
    const layer = await unpack(scratch, tarOf([{ ...file('x'), xattrs }]));
    expect(layer.notices).toEqual([expect.stringMatching(/attribute/)]);
    expect(listXattrs(join(layer.tree, 'x'))).toEqual([]);
  });

  test('T15: an attribute that is too large is refused and does not crash', async () => {
    using scratch = new Scratch();
    const xattrs = new Map([['user.large', Buffer.alloc(70_000)]]);
    await expect(unpack(scratch, tarOf([{ ...file('x'), xattrs }]))).rejects.toMatchObject({
      code: 'LAYER_REFUSED',
      message: expect.stringContaining('too large'),
    });
  });

  test('T16: an id outside the map is named together with what there is', () => {
    const map = [
      { inside: 0, outside: 1000, size: 1 },
      { inside: 1, outside: 100_000, size: 65_536 },
    ];
    const ids = { uids: map, gids: map, single: false };
    expect(() => checkIds(ids, 65_536, 0, Buffer.from('x'))).not.toThrow();
    expect(() => checkIds(ids, 0, 65_537, Buffer.from('x'))).toThrow('needs IDs up to 65537, there are 65537');
  });
});

describe('limits', () => {
  const limits = { ...DEFAULT_LIMITS, maxTarBytes: 1 << 20, maxEntries: 100, maxRatio: 100, ratioFromBytes: 1 << 18 };

  test('T19: entries are counted', async () => {
    using scratch = new Scratch();
    const tar = tarOf(Array.from({ length: 101 }, (_, index) => file(`f${index}`, '')));
    await expect(unpack(scratch, tar, { limits })).rejects.toMatchObject({
      code: 'LAYER_REFUSED',
      message: expect.stringContaining('more than 100 entries'),
    });
  });

  test('T19: a file takes no more hard links than there may be entries', async () => {
    using scratch = new Scratch();
    const tar = tarOf([file('x'), ...Array.from({ length: 200 }, (_, index) => hardlink(`l${index}`, 'x'))]);
    await expect(unpack(scratch, tar, { limits })).rejects.toMatchObject({ message: expect.stringContaining('more than 100 entries') });
  });

  // ext4 gives a file 65,000 names; others give more.
  test.skipIf(statfsSync(tmpdir()).type !== 0xef53)('T19: a file that cannot take all its hard links is refused', async () => {
    using scratch = new Scratch();
    const links = Array.from({ length: 65_000 }, (_, index) => hardlink(`l${index}`, 'x'));
    await expect(unpack(scratch, tarOf([file('x'), ...links]))).rejects.toMatchObject({
      code: 'LAYER_REFUSED',
      message: expect.stringContaining('too many links'),
    });
  });

  test('T20: bombs in several gzip members, and in PAX headers, are stopped all the same', async () => {
    using scratch = new Scratch();
    const member = gzipSync(Buffer.alloc(100_000));
    const head = gzipSync(memberBytes({ path: 'x', sizeBytes: 2 ** 30 }));
    const pax = description('x', `${200_000 + 15} comment=${'x'.repeat(200_000)}\n`);
    for (const bomb of [Buffer.concat([head, ...Array<Buffer>(50).fill(member)]), gzipSync(Buffer.concat(Array<Buffer>(20).fill(pax)))]) {
      await expect(unpack(scratch, bomb, { limits })).rejects.toMatchObject({ code: 'LAYER_REFUSED' });
    }
  });

  test('T20: a bomb is stopped by its ratio, whatever compressed it', async () => {
    using scratch = new Scratch();
    const tar = tarOf([file('x', 'x'.repeat(900_000))]);
    for (const bomb of [gzipSync(tar), zstdCompressSync(tar)]) {
      await expect(unpack(scratch, bomb, { limits })).rejects.toMatchObject({
        code: 'LAYER_REFUSED',
        message: expect.stringContaining('100 times'),
      });
    }
  });

  test('T20: a layer is stopped by its size', async () => {
    using scratch = new Scratch();
    await expect(unpack(scratch, tarOf([file('x', 'x'.repeat(1_100_000))]), { limits })).rejects.toMatchObject({
      code: 'LAYER_REFUSED',
      message: expect.stringContaining('larger than'),
    });
  });

  test('T20: the reserve of the file system is left alone', async () => {
    using scratch = new Scratch();
    await expect(unpack(scratch, tarOf([file('x')]), { limits: { ...limits, reserveBytes: 2 ** 60 } })).rejects.toMatchObject({
      code: 'STORE_FULL',
    });
  });

  test('T20: a zstd window of 2 GiB is refused before it is allocated', async () => {
    using scratch = new Scratch();
    // Frame header: magic, descriptor (no single segment), window 2^31, then a raw block of one byte.
    const frame = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x09, 0x00, 0x00, 0x61]);
    await expect(unpack(scratch, frame)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
  });

  test('T20: skippable zstd frames are skipped without growing', async () => {
    using scratch = new Scratch();
    const skippable = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0x04, 0, 0, 0, 1, 2, 3, 4]);
    const tar = tarOf([file('x')]);
    const flood = Buffer.concat([...Array<Buffer>(2000).fill(skippable), zstdCompressSync(tar)]);
    expect((await unpack(scratch, flood)).diffId).toBe(sha256(tar));
  });

  test('T20, T24: xz and bzip2 are refused and nothing is started for them', async () => {
    using scratch = new Scratch();
    for (const magic of [Buffer.from([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]), Buffer.from('BZh91AY')]) {
      await expect(unpack(scratch, magic)).rejects.toMatchObject({ code: 'NOT_SUPPORTED' });
    }
  });

  test('T24: a layer with an xz, an unpigz and a libnss of its own has none of them run', async () => {
    using scratch = new Scratch();
    const marker = join(scratch.path, 'ran');
    const names = ['usr/bin/xz', 'usr/bin/unpigz', 'bin/zstd', 'lib/libnss_files.so.2'];
    const trap = names.map((path) => ({ ...file(path, `#!/bin/sh\ntouch ${marker}\n`), mode: 0o755 }));
    for (const compress of [gzipSync, zstdCompressSync]) expect((await unpack(scratch, compress(tarOf(trap)))).entries).toBe(4);
    expect(existsSync(marker)).toBe(false);
  });

  test('T21: a damaged or cut gzip stream is refused', async () => {
    using scratch = new Scratch();
    const good = gzipSync(tarOf([file('x', 'x'.repeat(5000))]));
    const badCrc = Buffer.from(good);
    badCrc.writeUInt32LE(0, badCrc.length - 8);
    for (const bytes of [badCrc, good.subarray(0, good.length - 20)]) {
      await expect(unpack(scratch, bytes)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
    }
  });
});

describe('the store', () => {
  const tar = tarOf([file('x')]);

  test.each([
    ['another diff-id', sha256(Buffer.from('other')), {}],
    ['T21: another digest of the compressed bytes', sha256(tar), { compressedDigest: sha256(Buffer.from('other')) }],
    ['fewer bytes than said', sha256(tar), { sizeBytes: tar.length + 1 }],
    ['more bytes than said', sha256(tar), { sizeBytes: tar.length - 1 }],
  ])('%s is refused and leaves nothing', async (_, diffId, options) => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    await expect(store.apply(diffId, async () => Readable.from([tar]), options)).rejects.toMatchObject({ code: 'IMAGE_CORRUPT' });
    expect(store.list()).toEqual([]);
    const { readdirSync } = await import('node:fs');
    expect([...readdirSync(join(scratch.path, 'tmp')), ...readdirSync(join(scratch.path, 'layers/l'))]).toEqual([]);
  });

  test('T25: an empty layer and the same layer twice are fine', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    const empty = tarOf([]);
    for (const bytes of [empty, empty, Buffer.alloc(0)])
      await store.apply(sha256(bytes), async () => Readable.from(bytes.length === 0 ? [] : [bytes]));
    expect(store.list()).toHaveLength(2);
    expect(store.lowerDirs([sha256(empty), sha256(Buffer.alloc(0)), sha256(empty)])).toEqual(
      store.lowerDirs([sha256(Buffer.alloc(0)), sha256(empty)]),
    );
  });

  test('T18: an endless source is stopped by abort and leaves nothing', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    const abort = new AbortController();
    async function* endless(): AsyncGenerator<Buffer, void> {
      yield memberBytes({ path: 'x', sizeBytes: 2 ** 40 });
      await new Promise((resolve) => setTimeout(resolve, 3_600_000, undefined).unref());
    }
    const applied = store.apply(sha256(tar), async () => Readable.from(endless()), { signal: abort.signal });
    setTimeout(() => abort.abort(), 50);
    await expect(applied).rejects.toMatchObject({ code: 'ABORTED' });
    expect(store.list()).toEqual([]);
    mkdirSync(join(scratch.path, 'after'));
  });
});
