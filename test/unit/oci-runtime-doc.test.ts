/** docs/oci-runtime.md lists every requirement that is tested, with what each runtime does; neither can go stale. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REQUIREMENTS } from '../conformance/requirements.ts';

const LISTED = ['crun', 'embedded'] as const;

const text = readFileSync(join(import.meta.dirname, '../../docs/oci-runtime.md'), 'utf8');
const rows = [...text.matchAll(/^\| (\S+\.md\S*) \| (.+) \|$/gm)].map(([, section = '', cells = '']) => [section, ...cells.split(' | ')]);

test('each requirement that is tested has its row, in this order, and no other has one', () => {
  const expected = REQUIREMENTS.map(({ section, must, deviations }) => [
    section,
    must,
    ...LISTED.map((name) => deviations[name]?.does ?? 'yes'),
  ]);
  expect(rows).toEqual(expected);
});

test('no two requirements have one title', () => {
  const titles = REQUIREMENTS.map(({ section, must }) => `${section}: ${must}`);
  expect(titles.filter((title, index) => titles.indexOf(title) !== index)).toEqual([]);
});
