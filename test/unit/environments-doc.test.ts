/** docs/environments.md shows every row of the matrix, and no other. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROWS } from '../environments/rows.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/environments.md'), 'utf8');
const rows = [...text.matchAll(/^\| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$/gm)].slice(1).filter(([, name]) => name !== '---');

test('every row of the environment matrix stands in docs/environments.md, and no other', () => {
  expect(rows.map(([, name = '']) => name).toSorted()).toEqual(Object.keys(ROWS).toSorted());
});

test('a row says of lichen that it works, or that there is one error, as it is tested', () => {
  for (const [, name = '', , lichen = ''] of rows) {
    expect({ name, works: lichen.startsWith('works') }).toEqual({ name, works: ROWS[name]?.refused === undefined });
  }
});
