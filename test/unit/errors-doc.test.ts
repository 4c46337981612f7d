import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ERRORS } from '../../core/errors.ts';

const rows = readFileSync(new URL('../../docs/errors.md', import.meta.url), 'utf8')
  .split('\n')
  .map((line) => /^\| `([A-Z_]+)` \| (.+?) \| (.*?) \|$/.exec(line))
  .filter((match) => match !== null)
  .map(([, code, meaning, remedy]) => ({ code, meaning, remedy }));

test('docs/errors.md lists every error code, in order, with the meaning the code table gives', () => {
  const documented = rows.map(({ code, meaning }) => [code, meaning?.replaceAll(String.raw`\|`, '|')]);
  expect(documented).toEqual(Object.entries(ERRORS));
});

test('docs/errors.md says for every code what to do', () => {
  expect(rows.filter(({ remedy }) => (remedy ?? '').length < 10)).toEqual([]);
});
