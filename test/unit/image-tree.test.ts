import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { formatImageTree } from '../../cli/format/views/image-tree.ts';
import type { Digest } from '../../core/digest.ts';
import type { ImageId } from '../../core/id.ts';
import { historyOf } from '../../libpod/image/history.ts';
import { layerTree, pathTo, tagsAt, type LayeredImage } from '../../libpod/image/layer-tree.ts';
import type { TreeLayer } from '../../libpod/summary.ts';

const golden = readFileSync(new URL('../fixtures/golden/image-tree.txt', import.meta.url), 'utf8');

const layer = (id: string, sizeBytes: number, tags: readonly string[] = [], children: readonly TreeLayer[] = []): TreeLayer => ({
  id,
  sizeBytes,
  tags,
  children,
});

test("an image's layers are a list, the lowest first", () => {
  const demo = ['localhost/demo:latest', 'localhost/demo:1.0'];
  const layers = [layer('c8068190e94f', 2129920, ['localhost/bb:latest']), layer('a2714b23a73c', 2560), layer('d76cb90844d6', 2560, demo)];
  expect(formatImageTree({ id: 'f14b3045f66e', tags: demo, sizeBytes: 2140000, layers })).toBe(golden);
});

test('an image without layers says so', () => {
  expect(formatImageTree({ id: '3a1bc555e86c', tags: ['localhost/empty:latest'], sizeBytes: 664, layers: [] })).toBe(
    'Image ID: 3a1bc555e86c\nTags:     [localhost/empty:latest]\nSize:     664B\nNo Image Layers\n\n',
  );
});

test('what is built on an image: a level of its own only where ways part', () => {
  const a5 = layer('e9525f5b8fc5', 2048, ['a5'], [layer('51116604ee91', 2048, ['d6'])]);
  const a4 = layer('b2c536f493b1', 2048, ['a4'], [a5, layer('87983d6da976', 2048, ['c5'])]);
  const a3 = layer('46255e6f9306', 2048, ['a3'], [a4]);
  const b1 = layer('9319035eaa0d', 2048, ['b1'], [layer('ab685b10e4e2', 2048, ['b2'])]);
  const layers = [layer('f1e8f1c3cd43', 2048, ['a2'], [a3, b1])];
  // As the reference engine prints such a family of images.
  expect(
    formatImageTree({ id: '79231ec87655', tags: ['a2'], sizeBytes: 2138000, layers })
      .split('\n')
      .slice(4),
  ).toEqual([
    '├── ID: f1e8f1c3cd43 Size: 2.048kB Top Layer of: [a2]',
    '├── ID: 46255e6f9306 Size: 2.048kB Top Layer of: [a3]',
    '│   ├── ID: b2c536f493b1 Size: 2.048kB Top Layer of: [a4]',
    '│   ├── ID: e9525f5b8fc5 Size: 2.048kB Top Layer of: [a5]',
    '│   │   └── ID: 51116604ee91 Size: 2.048kB Top Layer of: [d6]',
    '│   └── ID: 87983d6da976 Size: 2.048kB Top Layer of: [c5]',
    '└── ID: 9319035eaa0d Size: 2.048kB Top Layer of: [b1]',
    '    └── ID: ab685b10e4e2 Size: 2.048kB Top Layer of: [b2]',
    '',
    '',
  ]);
});

const BASE = 'sha256:359c6ee8f179eb382852b240c6d183a15abdc09de8032bc2c3dcdbd52862530b' as Digest;
const NEXT = 'sha256:29bff0bc45b89799e2f47170b26fa8f21ace8bd4000c2e9dc8beaaa8c94f620d' as Digest;
const image = (id: string, layers: readonly Digest[], storedMs: number, ...names: string[]): LayeredImage => ({
  id: id as ImageId,
  layers,
  storedMs,
  names,
});

test('layers have the names that the reference engine gives them, and images that begin alike share nodes', () => {
  const tops = layerTree([
    image('child', [BASE, NEXT], 3, 'child:1', 'child@sha256:00'),
    image('same', [BASE], 2),
    image('base', [BASE], 1, 'base:1'),
    image('bare', [], 4),
  ]);
  const top = tops.get('child')!;
  expect(pathTo(top).map(({ id }) => id.slice(0, 12))).toEqual(['359c6ee8f179', '11252cde1fda']);
  expect(top.parent).toBe(tops.get('base'));
  expect(tops.get('base')!.images.map(({ id }) => id)).toEqual(['base', 'same']);
  expect(tagsAt(top)).toEqual(['child:1']);
  expect(tops.has('bare')).toBe(false);
});

test('a step of the history has the id of the image that ended there, and of those without a layer only the newest', () => {
  const tops = layerTree([image('base', [BASE], 1, 'base:1'), image('child', [BASE, NEXT], 2, 'child:1')]);
  const history = [
    { created_by: 'ADD' },
    { created_by: 'ENV', empty_layer: true },
    { created_by: 'COPY', comment: 'why', created: '2026-01-01T00:00:00Z' },
  ];
  const config = { architecture: 'amd64', os: 'linux', rootfs: { type: 'layers', diff_ids: [BASE, NEXT] }, history } as const;
  expect(historyOf({ config }, tops.get('child'), ({ diffId }) => (diffId === BASE ? 100 : 7))).toEqual([
    { id: 'child', createdAt: '2026-01-01T00:00:00Z', createdBy: 'COPY', sizeBytes: 7, comment: 'why', tags: ['child:1'] },
    { id: 'base', createdAt: '0001-01-01T00:00:00Z', createdBy: 'ENV', sizeBytes: 0, comment: '', tags: ['base:1'] },
    { createdAt: '0001-01-01T00:00:00Z', createdBy: 'ADD', sizeBytes: 100, comment: '', tags: ['base:1'] },
  ]);
});
