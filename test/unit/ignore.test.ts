import { expect, test } from 'vitest';
import { parseIgnoreFile } from '../../build/ignore.ts';

test.each([
  ['*.md', ['a.md'], ['a/b.md', 'a.mdx']],
  ['**/*.md', ['a.md', 'a/b/c.md'], ['a.txt']],
  ['/dir', ['dir', 'dir/x/y'], ['a/dir', 'dirt']],
  ['dir/', ['dir', 'dir/x'], []],
  ['./a/../b', ['b'], ['a']],
  ['**', ['a', 'a/b'], []],
  ['a/**', ['a/b', 'a/b/c'], ['a', 'b']],
  ['**/node_modules', ['node_modules', 'a/node_modules/b'], ['node_modulesx']],
  ['a/**/z', ['a/z', 'a/b/c/z'], ['z']],
  ['a?c', ['abc'], ['a/c', 'ac']],
  ['[a-c]x', ['ax', 'cx'], ['dx']],
  ['[^a-c]x', ['dx'], ['ax']],
  ['\\*', ['*'], ['a']],
  ['a.b+(c)', ['a.b+(c)'], ['axb+(c)']],
  ['# comment\n\n  x  ', ['x'], ['# comment']],
  ['*\n!keep\n!dir/in', ['a', 'dir', 'dir/out'], ['keep', 'keep/below', 'dir/in']],
  ['!a\n*', ['a'], []],
  ['a\n!a/b\na/b/c', ['a', 'a/x', 'a/b/c'], ['a/b', 'a/b/d']],
  ['../x\n!../y', [], ['x', 'y', 'a']],
  ['.', [], ['a']],
])('%j', (text, ignored, kept) => {
  const rules = parseIgnoreFile(text, '.dockerignore');
  expect(ignored.filter((path) => !rules.isIgnored(path))).toEqual([]);
  expect(kept.filter((path) => rules.isIgnored(path))).toEqual([]);
});

test('an ignored directory is looked into only where something may be taken back', () => {
  const rules = parseIgnoreFile('*\n!a/b/c\n!x/*/y\n!**/z', '.dockerignore');
  expect(['a', 'a/b', 'x', 'x/1', 'q'].map((path) => rules.mayHoldIncluded(path))).toEqual([true, true, true, true, true]);
  const narrow = parseIgnoreFile('*\n!a/b/c\n!x/*/y', '.dockerignore');
  expect(['a', 'a/b', 'x', 'x/1', 'q', 'a/c'].map((path) => narrow.mayHoldIncluded(path))).toEqual([true, true, true, true, false, false]);
});

test.each(['[a', 'a\\', '!'])('%s cannot be read', (text) => {
  expect(() => parseIgnoreFile(text, '.dockerignore')).toThrow(/^\.dockerignore: (syntax error in pattern|illegal exclusion pattern)/);
});
