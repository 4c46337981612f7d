import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeSpecialFile } from '../../host/mknod.ts';
import { setTimes } from '../../host/times.ts';
import { getXattr, setXattr } from '../../host/xattr.ts';
import { copyTree } from '../../storage/tree/copy.ts';
import { removeTree } from '../../storage/tree/remove.ts';
import { unlinkSideBySide } from '../../storage/tree/unlink.ts';
import { diskUsage } from '../../storage/tree/usage.ts';
import { Scratch } from '../fixtures/tar/layer.ts';

describe('removeTree', () => {
  test('takes away closed directories, links, FIFOs and names that are no text, and nothing beside them', () => {
    using scratch = new Scratch();
    const victim = join(scratch.path, 'victim');
    writeFileSync(victim, 'x');
    const top = scratch.directory('top/closed/inner');
    writeFileSync(join(top, 'f'), 'x');
    symlinkSync(scratch.path, join(scratch.path, 'top/link'));
    makeSpecialFile(Buffer.from(join(scratch.path, 'top/pipe')), { type: 'fifo' }, 0o600);
    writeFileSync(Buffer.concat([Buffer.from(join(scratch.path, 'top/')), Buffer.of(0xff, 0xfe)]), 'x');
    chmodSync(top, 0);
    chmodSync(join(scratch.path, 'top/closed'), 0o500);
    removeTree(join(scratch.path, 'top'));
    expect(existsSync(join(scratch.path, 'top'))).toBe(false);
    expect(readFileSync(victim, 'utf8')).toBe('x');
  });

  test('a tree deeper than any path can name goes away', () => {
    using scratch = new Scratch();
    const home = process.cwd();
    const top = scratch.directory('deep');
    process.chdir(top);
    try {
      for (let depth = 0; depth < 3000; depth++) {
        mkdirSync('dir');
        process.chdir('dir');
      }
    } finally {
      process.chdir(home);
    }
    removeTree(top);
    expect(existsSync(top)).toBe(false);
  });

  test('unlinkSideBySide takes the files, and leaves what it may not touch to removeTree', async () => {
    using scratch = new Scratch();
    const top = join(scratch.path, 'top');
    mkdirSync(join(top, 'below/closed'), { recursive: true });
    for (const name of ['a', 'below/b', 'below/closed/c']) writeFileSync(join(top, name), name);
    symlinkSync('..', join(top, 'below/up'));
    writeFileSync(join(scratch.path, 'beside'), '');
    await unlinkSideBySide(top);
    expect(readdirSync(top, { recursive: true })).toEqual(['below', join('below', 'closed')]);
    await unlinkSideBySide(join(scratch.path, 'nothing'));
    removeTree(top);
    expect(readdirSync(scratch.path)).toEqual(['beside']);
  });

  test('a file is removed, a link is not followed, nothing there is fine', () => {
    using scratch = new Scratch();
    const kept = scratch.directory('kept');
    symlinkSync(kept, join(scratch.path, 'link'));
    removeTree(join(scratch.path, 'link'));
    removeTree(join(scratch.path, 'link'));
    expect(existsSync(kept)).toBe(true);
  });
});

describe('copyTree', () => {
  test('keeps modes, times, links, attributes and special files, and the look of the top', async () => {
    using scratch = new Scratch();
    const from = scratch.directory('from');
    const to = scratch.directory('to');
    writeFileSync(join(from, 'f'), 'content', { mode: 0o640 });
    chmodSync(join(from, 'f'), 0o4750);
    setXattr(join(from, 'f'), 'user.note', Buffer.from('hi'));
    linkSync(join(from, 'f'), join(from, 'g'));
    mkdirSync(join(from, 'd'));
    symlinkSync('../f', join(from, 'd/l'));
    makeSpecialFile(Buffer.from(join(from, 'd/pipe')), { type: 'fifo' }, 0o600);
    const mtime = { seconds: 1_000_000_000, nanoseconds: 987_654_321 };
    for (const path of ['f', 'd/l', 'd']) setTimes(Buffer.from(join(from, path)), mtime);
    chmodSync(from, 0o1777);

    await copyTree(from, to);

    const copy = (path: string) => lstatSync(join(to, path), { bigint: true });
    expect(readFileSync(join(to, 'f'), 'utf8')).toBe('content');
    expect(['f', 'd/l', 'd'].map((path) => copy(path).mtimeNs)).toEqual(Array(3).fill(1_000_000_000_987_654_321n));
    expect(Number(copy('f').mode & 0o7777n).toString(8)).toBe('4750');
    expect(copy('g').ino).toBe(copy('f').ino);
    expect(readlinkSync(join(to, 'd/l'))).toBe('../f');
    expect(copy('d/pipe').isFIFO()).toBe(true);
    expect(getXattr(join(to, 'f'), 'user.note')?.toString()).toBe('hi');
    expect(Number(copy('.').mode & 0o7777n).toString(8)).toBe('1777');
  });
});

test('diskUsage counts a file with two names once', () => {
  using scratch = new Scratch();
  const top = scratch.directory('top');
  writeFileSync(join(top, 'f'), 'x'.repeat(1000));
  linkSync(join(top, 'f'), join(top, 'g'));
  expect(diskUsage(top)).toMatchObject({ sizeBytes: 1000, inodes: 2 });
  expect(diskUsage(join(top, 'nothing'))).toMatchObject({ sizeBytes: 0, inodes: 0 });
});
