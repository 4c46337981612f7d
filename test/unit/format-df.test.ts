import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatReport } from '../../cli/format/report.ts';
import { DF_COLUMNS, dfJson, dfRows, dfVerbose, dfView, type DfRow } from '../../cli/format/views/df.ts';
import type { ContainerUsage, DiskUsageSummary, ImageUsage } from '../../libpod/summary.ts';

const golden = (name: string): string => readFileSync(new URL(`../fixtures/golden/${name}`, import.meta.url), 'utf8');

const ROWS: readonly DfRow[] = [
  { type: 'Images', total: 28, active: 2, sizeBytes: 2234211, reclaimableBytes: 2227880 },
  { type: 'Containers', total: 10, active: 5, sizeBytes: 67370, reclaimableBytes: 22560 },
  { type: 'Local Volumes', total: 3, active: 3, sizeBytes: 0, reclaimableBytes: 0 },
];

test('system df as table, JSON and template', async () => {
  expect(await formatReport(dfView, ROWS, { columns: DF_COLUMNS, heading: true })).toBe(golden('system-df.txt'));
  expect(dfJson(ROWS)).toBe(golden('system-df.json'));
  const format = '{{.Type}} {{.Total}} {{.Active}} {{.RawSize}} {{.RawReclaimable}} {{.Size}} {{.Reclaimable}}';
  expect(await formatReport(dfView, ROWS.slice(1, 2), { columns: DF_COLUMNS, heading: true, format })).toBe(
    'Containers 10 5 67370 22560 67.37kB 22.56kB (33%)\n',
  );
  await expect(formatReport(dfView, ROWS, { columns: DF_COLUMNS, heading: true, format: '{{.TotalCount}}' })).rejects.toThrow(
    "can't evaluate field TotalCount in type *system.dfSummary",
  );
});

const NOW_MS = Date.parse('2026-01-01T00:05:30Z');
const image = (id: string, names: readonly string[], rest: Partial<ImageUsage> = {}): ImageUsage => ({
  id,
  names,
  createdAt: '2026-01-01T00:00:00Z',
  sizeBytes: 2131000,
  sharedBytes: 2130000,
  uniqueBytes: 1189,
  containers: 0,
  ...rest,
});
const container = (name: string, status: string, sizeBytes: number): ContainerUsage => ({
  id: `${name}9b28c41cf6d9e`.slice(0, 14),
  imageId: 'b1dacf6c513ab03cbc',
  command: ['sleep', '700'],
  volumes: 1,
  sizeBytes,
  createdAt: '2026-01-01T00:05:24Z',
  status,
  name,
});

test('the verbose form has the headings, an empty line between the kinds, and a line for each name', () => {
  const usage: DiskUsageSummary = {
    images: [
      image('b1dacf6c513ab0', ['localhost/bb:latest'], { containers: 1 }),
      image('f14b3045f66e', ['a:1', 'b:2']),
      image('a2f4d1d94bc4', []),
    ],
    imageBytes: 0,
    imageReclaimableBytes: 0,
    containers: [container('one', 'running', 11370)],
    volumes: [{ name: 'gvol', links: 2, sizeBytes: 6 }],
    caches: [],
  };
  const text = dfVerbose(usage, NOW_MS);
  const model = golden('system-df-v.txt').split('\n');
  const headings = (lines: readonly string[]): string[] =>
    lines.filter((line) => line === '' || /usage:$|^[A-Z]{3}/.test(line)).map((line) => line.replaceAll(/ {2,}/g, '  '));
  expect(headings(text.split('\n'))).toEqual(headings(model));
  const rows = text.split('\n').map((line) => line.split(/ {2,}/));
  expect(rows).toContainEqual(['localhost/bb', 'latest', 'b1dacf6c513a', '5 minutes', '2.131MB', '2.13MB', '1.189kB', '1']);
  expect(rows).toContainEqual(['b', '2', 'f14b3045f66e', '5 minutes', '2.131MB', '2.13MB', '1.189kB', '0']);
  expect(rows).toContainEqual(['<none>', '<none>', 'a2f4d1d94bc4', '5 minutes', '2.131MB', '2.13MB', '1.189kB', '0']);
  expect(rows).toContainEqual(['one9b28c41cf', 'b1dacf6c513a', 'sleep 700', '1', '11.37kB', '6 seconds', 'running', 'one']);
  expect(rows).toContainEqual(['gvol', '2', '6B']);
  expect(dfRows(usage)[0]).toMatchObject({ total: 4, active: 1 });
  const withCache = dfVerbose({ ...usage, caches: [{ id: 'npm', isUsed: false, sizeBytes: 2000 }] }, NOW_MS);
  expect(withCache.slice(text.length)).toBe('\nBuild cache space usage:\n\nCACHE ID    IN USE      SIZE\nnpm         false       2kB\n');
});

test('only running containers are active, the others and unused volumes can be reclaimed', () => {
  const usage: DiskUsageSummary = {
    images: [],
    imageBytes: 0,
    imageReclaimableBytes: 0,
    containers: [container('one', 'running', 100), container('two', 'paused', 20), container('three', 'created', 3)],
    volumes: [
      { name: 'used', links: 1, sizeBytes: 7 },
      { name: 'unused', links: 0, sizeBytes: 5 },
    ],
    caches: [
      { id: 'npm', isUsed: false, sizeBytes: 40 },
      { id: '/root/.cache', isUsed: true, sizeBytes: 2 },
    ],
  };
  expect(dfRows(usage).slice(1)).toEqual([
    { type: 'Containers', total: 3, active: 1, sizeBytes: 123, reclaimableBytes: 23 },
    { type: 'Local Volumes', total: 2, active: 1, sizeBytes: 12, reclaimableBytes: 5 },
    { type: 'Build Cache', total: 2, active: 1, sizeBytes: 42, reclaimableBytes: 40 },
  ]);
});
