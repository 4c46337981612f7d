/** docs/hostile.md lists every row of hostile input with the files that test it; neither can go stale. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const family = (letter: string, last: number) =>
  Array.from({ length: last }, (_, index) => `${letter}${String(index + 1).padStart(2, '0')}`);
const REQUIRED = [
  ...family('T', 25),
  ...family('G', 18),
  ...family('I', 9),
  ...family('R', 18),
  ...family('C', 5),
  'C07',
  'C08',
  'C09',
  'C10',
  'C11',
  'C12',
  'C13',
  'C14',
  'C15',
  'C16',
  'S01',
  'S03',
  'S04',
  'S05',
  'S06',
  ...family('J', 5),
  ...family('N', 3),
];

const rows = new Map(
  [...readFileSync(join(ROOT, 'docs/hostile.md'), 'utf8').matchAll(/^\| ([A-Z]\d\d) \|.*\| ([^|]+) \|$/gm)].map(
    ([, id = '', files = '']) => [id, files.split(', ')] as const,
  ),
);

/** Row ids in the titles (string literals) of the tests of a file. */
function idsIn(path: string): ReadonlySet<string> {
  const titles = readFileSync(path, 'utf8').matchAll(
    /(?:describe|test)[\w.]*\(?[^'`\n]*['`]([^'`\n]*)['`]|^ {2}\]\)\(\s*['`]([^'`\n]*)|^ {4}\]?\)?['`]([A-Z]\d\d[^'`\n]*)|^ {2}['`]([A-Z]\d\d[^'`]*)['`]|\]\)\('([^']*)'/gm,
  );
  const found = [...titles].flatMap((match) => match.slice(1).flatMap((title) => title?.match(/\b[TGIRSCJN]\d\d\b/g) ?? []));
  return new Set(found);
}

test('every row is listed, and only with files whose test titles name it', () => {
  expect([...rows.keys()].toSorted()).toEqual([...REQUIRED].toSorted());
  const tested = new Map<string, string[]>();
  const files = ['test/fault', 'test/system'].flatMap((directory) =>
    readdirSync(join(ROOT, directory)).map((name) => join(directory, name)),
  );
  for (const file of files.filter((each) => each.endsWith('.test.ts')).toSorted((a, b) => (basename(a) < basename(b) ? -1 : 1)))
    for (const id of idsIn(join(ROOT, file))) tested.set(id, [...new Set([...(tested.get(id) ?? []), basename(file)])]);
  for (const [id, named] of rows) expect({ id, files: named }).toEqual({ id, files: tested.get(id) ?? ['nothing'] });
});
