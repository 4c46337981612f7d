import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { tryLockFile } from '../../host/flock.ts';
import { Root } from '../../host/root.ts';
import { listXattrs, setXattr } from '../../host/xattr.ts';
import { LayerStore } from '../../storage/layer/store.ts';
import { tarBytes } from '../../storage/tar/stream.ts';
import { packTree } from '../../storage/tree/pack.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import { tarOf } from '../fixtures/tar/build.ts';
import { Scratch, sha256 } from '../fixtures/tar/layer.ts';

const tar = tarOf([{ path: 'etc/hello', body: 'world' }]);
const diffId = sha256(tar);
const give = (bytes: Buffer) => async () => Readable.from([bytes]);
const REPOSITORY = join(import.meta.dirname, '../..');

describe('a layer', () => {
  test('is there once applied, reached by its short link, and gives its tar back', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    const applied = await store.apply(diffId, give(tar), { compressedDigest: diffId, sizeBytes: tar.length });
    expect(applied).toMatchObject({ fresh: true, notices: [], facts: { diffId, tarBytes: tar.length, fileBytes: 5, entries: 1 } });
    expect(store.list()).toEqual([diffId]);
    expect(store.sizeBytes(diffId)).toBe(tar.length);
    expect(readFileSync(join(store.lowerDirs([diffId])[0]!, 'etc/hello'), 'utf8')).toBe('world');
    expect(Buffer.concat(await (await store.tar(diffId)).toArray())).toEqual(tar);
    expect(await store.verify(diffId)).toBe(true);
    expect(readdirSync(join(scratch.path, 'tmp'))).toEqual([]);
  });

  test('is not read again when it is there', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    await store.apply(diffId, give(tar));
    const again = await store.apply(diffId, () => Promise.reject(new Error('asked for the source')));
    expect(again.fresh).toBe(false);
  });

  test('lower directories come topmost first', () => {
    const other = sha256(Buffer.from('other'));
    const [top, base] = new LayerStore('/store').lowerDirs([diffId, other]);
    expect(base).toContain(diffId.slice(7, 20));
    expect(top).toContain(other.slice(7, 20));
  });

  test('leaves nothing when it is removed, and removing it twice is fine', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    await store.apply(diffId, give(tar));
    await store.remove(diffId);
    await store.remove(diffId);
    expect(store.list()).toEqual([]);
    for (const name of ['tmp', 'layers/l', 'layers/unsettled']) expect(readdirSync(join(scratch.path, name))).toEqual([]);
    expect(() => store.facts(diffId)).toThrow('is not in the store');
  });

  test('a flipped byte is found by verify', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    await store.apply(diffId, give(tar));
    writeFileSync(join(store.tree(diffId), 'etc/hello'), 'w0rld');
    expect(await store.verify(diffId)).toBe(false);
  });
});

describe('a layer of files that are at hand', () => {
  const tarOfTree = async (path: string): Promise<Buffer> => {
    using root = new Root(path);
    return Buffer.concat(await Array.fromAsync(tarBytes(packTree(root.fd, Buffer.from('.'), Buffer.alloc(0)))));
  };
  const inode = (...path: readonly string[]): number => lstatSync(join(...path)).ino;

  test('has them, not copies, with all their names, and gives its tar back', async () => {
    using scratch = new Scratch();
    const tree = scratch.directory('tree');
    mkdirSync(join(tree, 'etc'));
    writeFileSync(join(tree, 'etc/a'), 'one');
    linkSync(join(tree, 'etc/a'), join(tree, 'etc/b'));
    writeFileSync(join(tree, 'empty'), '', { mode: 0o600 });
    const bytes = await tarOfTree(tree);
    const store = new LayerStore(scratch.path);
    const { facts } = await store.add(Readable.from([bytes]), { atHand: tree });
    expect(facts).toMatchObject({ diffId: sha256(bytes), fileBytes: 3 });
    const [lower = ''] = store.lowerDirs([facts.diffId]);
    for (const name of ['etc/a', 'etc/b', 'empty']) expect(inode(lower, name)).toBe(inode(tree, name));
    removeTree(tree);
    expect(Buffer.concat(await (await store.tar(facts.diffId)).toArray())).toEqual(bytes);
    expect((await store.examine(facts.diffId, { quick: false })).content).toEqual([]);
  });

  test('has a copy of each that is not just what its entry says', async () => {
    using scratch = new Scratch();
    const tree = scratch.directory('tree');
    const names = ['mode', 'time', 'size', 'attribute', 'gone', 'link', 'other/file'];
    mkdirSync(join(tree, 'other'));
    for (const name of names) writeFileSync(join(tree, name), name);
    const bytes = await tarOfTree(tree);
    chmodSync(join(tree, 'mode'), 0o640);
    utimesSync(join(tree, 'time'), 1, 1);
    writeFileSync(join(tree, 'size'), 'longer');
    setXattr(join(tree, 'attribute'), 'user.lichen.owner', Buffer.from('0:0'));
    unlinkSync(join(tree, 'gone'));
    renameSync(join(tree, 'link'), join(scratch.path, 'link'));
    symlinkSync(join(scratch.path, 'link'), join(tree, 'link'));
    // What has its place now is outside.
    renameSync(join(tree, 'other'), join(scratch.path, 'other'));
    symlinkSync('../other', join(tree, 'other'));
    const store = new LayerStore(scratch.path);
    const { facts } = await store.add(Readable.from([bytes]), { atHand: tree });
    const [lower = ''] = store.lowerDirs([facts.diffId]);
    for (const name of names) {
      expect(readFileSync(join(lower, name), 'utf8')).toBe(name);
      expect(lstatSync(join(lower, name)).nlink).toBe(1);
    }
    expect(listXattrs(join(lower, 'attribute'))).not.toContain('user.lichen.owner');
    expect((await store.examine(facts.diffId, { quick: false })).content).toEqual([]);
  });
});

describe('two at once', () => {
  test('in one process: the source is opened once', async () => {
    using scratch = new Scratch();
    let opened = 0;
    const source = async () => {
      opened++;
      return Readable.from([tar]);
    };
    const results = await Promise.all([1, 2, 3].map(() => new LayerStore(scratch.path).apply(diffId, source)));
    expect(opened).toBe(1);
    expect(results.filter(({ fresh }) => fresh)).toHaveLength(1);
  });

  test('what a killed process left half done is removed by the next, and the layer can be applied', async () => {
    using scratch = new Scratch();
    const script = join(scratch.path, 'half.ts');
    writeFileSync(
      script,
      `import { Readable } from 'node:stream';
       import { LayerStore } from '${REPOSITORY}/storage/layer/store.ts';
       const half = Buffer.from('${tar.subarray(0, 700).toString('base64')}', 'base64');
       async function* source() { yield half; yield Buffer.alloc(1); console.log('half'); await new Promise((resolve) => setTimeout(resolve, 60000)); }
       await new LayerStore('${scratch.path}').apply('${diffId}' as never, async () => Readable.from(source()));`,
    );
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(child.stdout, 'data');
    expect(readdirSync(join(scratch.path, 'tmp'))).toHaveLength(2);
    const waiting = new LayerStore(scratch.path).apply(diffId, give(tar));
    child.kill('SIGKILL');
    expect((await waiting).fresh).toBe(true);
    expect(readdirSync(join(scratch.path, 'tmp'))).toEqual([]);
  });

  test('staging of a living process is left alone', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    async function* slow(): AsyncGenerator<Buffer, void> {
      yield tar.subarray(0, 700);
      store.heal();
      yield tar.subarray(700);
    }
    await store.apply(diffId, async () => Readable.from(slow()));
    expect(await store.verify(diffId)).toBe(true);
  });
});

test('links and notes of layers that never came are removed, those of a layer in the making are not', async () => {
  using scratch = new Scratch();
  const store = new LayerStore(scratch.path);
  const [links, notes] = [join(scratch.path, 'layers/l'), join(scratch.path, 'layers/unsettled')];
  const stale = 'ab'.repeat(32);
  await store.apply(diffId, give(tar));
  const kept = [readdirSync(links), readdirSync(notes)];
  const leave = (): void => {
    symlinkSync(`../${stale}/diff`, join(links, stale.slice(0, 26)));
    writeFileSync(join(notes, stale), 'this boot');
  };
  leave();
  {
    using _lock = tryLockFile(join(scratch.path, 'layers/locks/ab'));
    store.heal();
    expect(existsSync(join(notes, stale))).toBe(true);
  }
  store.heal();
  expect([readdirSync(links), readdirSync(notes)]).toEqual(kept);
});

describe('after a reboot', () => {
  const rebooted = (scratch: Scratch) => writeFileSync(join(scratch.path, 'layers/unsettled', diffId.slice(7)), 'another boot');

  test('a layer that did not reach the disk is dropped, with its name', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    await store.apply(diffId, give(tar));
    writeFileSync(join(store.tree(diffId), 'etc/hello'), '\0\0\0\0\0');
    rebooted(scratch);
    expect(await store.settle()).toEqual([diffId]);
    expect(store.has(diffId)).toBe(false);
  });

  test('a layer that did is kept, and not looked at again', async () => {
    using scratch = new Scratch();
    const store = new LayerStore(scratch.path);
    await store.apply(diffId, give(tar));
    rebooted(scratch);
    expect(await store.settle()).toEqual([]);
    expect(store.has(diffId)).toBe(true);
    expect(existsSync(join(scratch.path, 'layers/unsettled', diffId.slice(7)))).toBe(false);
  });

  test('an empty store has nothing to settle', async () => {
    using scratch = new Scratch();
    mkdirSync(join(scratch.path, 'layers'));
    expect(await new LayerStore(scratch.path).settle()).toEqual([]);
  });
});
