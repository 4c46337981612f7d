/** Which files the words of COPY and ADD mean. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { treeSources } from '../../build/copy/sources.ts';
import { Root } from '../../host/root.ts';

let directory: string;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sources-'));
  for (const path of ['5.txt', 'left/out/7.txt', 'pre1/q/8.txt', 'pre1/q/r/9.txt', 'x/1.txt', 'x/y/2.txt']) {
    mkdirSync(join(directory, dirname(path)), { recursive: true });
    writeFileSync(join(directory, path), path);
  }
  symlinkSync('x', join(directory, 'link'));
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});

test.each([
  ['**/*.txt', '5.txt pre1/q/8.txt pre1/q/r/9.txt x/1.txt x/y/2.txt'],
  ['*/*.txt', 'link/1.txt x/1.txt'],
  ['x/**/**/*.txt', 'x/1.txt x/y/2.txt'],
  ['x/**', 'x x/y'],
  ['**/y', 'x/y'],
  ['p*1/./q/**/*.txt', 'q/8.txt q/r/9.txt'],
  ['**/q/./r/*', 'r/9.txt'],
  ['p*1/q/./r', 'r'],
  ['x/./y/2.txt', 'y/2.txt'],
])('%s', (word, wanted) => {
  using root = new Root(directory);
  const rules = { isLeftOut: (path: string) => /^left(\/|$)/.test(path), mayHoldWanted: () => false };
  const found = treeSources({ root, rules }, word, { parents: true });
  expect(found.map(({ asked }) => asked).join(' ')).toBe(wanted);
  for (const { asked, parents } of found) expect(parents.map(({ path }) => path).at(-1) ?? '.').toBe(dirname(asked));
});
