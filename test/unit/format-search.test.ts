import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatReport } from '../../cli/format/report.ts';
import { searchColumns, searchJson, searchView, tagsJson } from '../../cli/format/views/search.ts';
import { trustTable } from '../../cli/format/views/trust.ts';
import { parseSearchFilters, type SearchResult } from '../../libpod/registry/search.ts';

const golden = (name: string): string => readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), 'utf8');
const withoutLastNewline = (text: string): string => text.replace(/\n$/, '');

const REGISTRY = '127.0.0.1:5555';
const result = (path: string, more: Partial<SearchResult> = {}): SearchResult => ({
  registry: REGISTRY,
  name: `${REGISTRY}/${path}`,
  description: '',
  stars: 0,
  official: false,
  automated: false,
  tag: '',
  ...more,
});

const rows = [result('team/bb'), result('team/demo')];
const tags = [result('team/demo', { tag: '1.0' })];

test("search prints Podman's table and JSON", async () => {
  const columns = searchColumns({ listTags: false, compatible: false });
  const table = await formatReport(searchView({ noTrunc: false }), rows, { columns, heading: true });
  expect(withoutLastNewline(table)).toBe(withoutLastNewline(golden('search.txt')));
  expect(withoutLastNewline(searchJson(rows))).toBe(withoutLastNewline(golden('search.json')));
});

test("search --list-tags prints Podman's table and JSON", async () => {
  const columns = searchColumns({ listTags: true, compatible: false });
  const table = await formatReport(searchView({ noTrunc: false }), tags, { columns, heading: true });
  expect(withoutLastNewline(table)).toBe(withoutLastNewline(golden('search-tags.txt')));
  expect(withoutLastNewline(tagsJson(tags))).toBe(withoutLastNewline(golden('search-tags.json')));
});

test("image trust show prints Podman's table", () => {
  const table = trustTable([{ transport: 'all', scope: 'default', type: 'accept', id: '', store: '' }], { heading: true });
  expect(withoutLastNewline(table)).toBe(withoutLastNewline(golden('trust-show.txt')));
});

test('a row as a template sees it', async () => {
  const format = (text: string) => formatReport(searchView({ noTrunc: false }), tags, { columns: [], heading: true, format: text });
  expect(await format('{{.}}')).toBe(`{${REGISTRY} ${REGISTRY}/team/demo  0   1.0}\n`);
  expect(await format('{{json .}}')).toBe(
    `{"Index":"${REGISTRY}","Name":"${REGISTRY}/team/demo","Description":"","Stars":0,"Official":"","Automated":"","Tag":"1.0"}\n`,
  );
});

test('a long description is cut at 44 bytes, never inside a character', async () => {
  const cut = (description: string, noTrunc = false) =>
    formatReport(searchView({ noTrunc }), [result('x', { description })], { columns: [], heading: false, format: '{{.Description}}' });
  expect(await cut('x'.repeat(44))).toBe(`${'x'.repeat(44)}\n`);
  expect(await cut('x'.repeat(45))).toBe(`${'x'.repeat(44)}...\n`);
  expect(await cut(`${'x'.repeat(43)}éé`)).toBe(`${'x'.repeat(43)}...\n`);
  expect(await cut('x'.repeat(45), true)).toBe(`${'x'.repeat(45)}\n`);
});

test.each([
  ['is-official', { official: true }],
  ['is-official=false', { official: false }],
  ['is-official=maybe', { official: true }],
  ['is-automated', { automated: true }],
  ['stars=3', { stars: 3 }],
])('the filter %s', (text, filters) => {
  expect(parseSearchFilters([text])).toEqual(filters);
});
