/** What a host's store holds of images, past the engine: files against rows, and what du(1) counts against what `system df` says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import type { TestHost } from '../host/host.ts';
import { queryStore } from './remains.ts';

interface ImageFiles {
  readonly layers: readonly string[];
  readonly blobs: readonly string[];
  /** Short links, by the first digits of their layer. */
  readonly links: readonly string[];
  /** Layers noted as not yet waited for. */
  readonly unsettled: readonly string[];
  readonly tmp: readonly string[];
}

const NOTHING: ImageFiles = { layers: [], blobs: [], links: [], unsettled: [], tmp: [] };
const SHORT = 26;
const LAYER = /^[0-9a-f]{64}$/;

/** Every row is that of a whole image, and every name that of an image. Nobody need have cleaned up for this to hold. */
export function expectWhole(host: TestHost): void {
  const { layers, blobs, links } = imageFiles(host);
  const named = namedParts(host);
  expect(named.layers.filter((layer) => !layers.includes(layer) || !links.includes(layer.slice(0, SHORT)))).toEqual([]);
  expect(named.blobs.filter((blob) => !blobs.includes(blob))).toEqual([]);
  expect(queryStore(host, 'SELECT * FROM image_names WHERE image_id NOT IN (SELECT id FROM images)')).toEqual([]);
}

/** Sound by `system check`; after the documented clean-up the store holds what its rows name and nothing else; df and du agree. */
export async function expectNoMore(host: TestHost): Promise<void> {
  expect(await host.lichen(['system', 'check'])).toMatchObject({ stdout: '', stderr: '', exitCode: 0 });
  await host.succeed(['image', 'prune', '--force']);
  expectWhole(host);
  const { layers, blobs } = namedParts(host);
  const links = layers.map((layer) => layer.slice(0, SHORT));
  expect(imageFiles(host)).toEqual({ ...NOTHING, layers, blobs, links });
  expect(queryStore(host, 'SELECT * FROM garbage')).toEqual([]);
  await expectUsage(host);
}

/** Remove every image, and expect nothing to be left of any. */
export async function emptied(host: TestHost): Promise<void> {
  if (isEmpty(host)) return;
  await host.succeed(['image', 'prune', '--all', '--force']);
  expect(queryStore(host, 'SELECT id FROM images')).toEqual([]);
  expect(imageFiles(host)).toEqual(NOTHING);
}

function isEmpty(host: TestHost): boolean {
  return queryStore(host, 'SELECT id FROM images').length === 0 && isDeepStrictEqual(imageFiles(host), NOTHING);
}

/** By the rule of libpod/system/df.ts: content counts, and a tar takes at most 2 KiB more for each of its entries, and 20 KiB in all. */
export async function expectUsage(host: TestHost): Promise<void> {
  const [images] = JSON.parse(await host.succeed(['system', 'df', '--format', 'json'])) as { TotalCount: number; RawSize: number }[];
  const sizes = await sizesByTop(host);
  let [least, most] = [0, 2 * (sizes.get('sha256') ?? 0)];
  for (const layer of imageFiles(host).layers) {
    const facts = JSON.parse(readFileSync(host.path(`${host.store}/layers/${layer}/layer.json`), 'utf8')) as { entries: number };
    const bytes = sizes.get(layer) ?? 0;
    least += bytes - facts.entries * 256;
    most += bytes + facts.entries * 2048 + 20 * 1024;
  }
  // An image counts once for each of its names.
  const [rows] = queryStore(host, 'SELECT count(*) AS count FROM images LEFT JOIN image_names ON image_id = id');
  expect(images?.TotalCount).toBe(rows?.['count']);
  expect(images?.RawSize).toBeGreaterThanOrEqual(least);
  expect(images?.RawSize).toBeLessThanOrEqual(most);
}

/** What `du --apparent-size` counts of the trees of layers, and of the documents together, as the user sees them. */
async function sizesByTop(host: TestHost): Promise<ReadonlyMap<string, number>> {
  const script = `cd "$1" && find layers/*/diff blobs \\( -type f -o -type l \\) -printf '%p\\t%i\\t%s\\n' 2>/dev/null; true`;
  const listed = await host.succeed(['unshare', 'sh', '-c', script, 'sh', host.store]);
  const sizes = new Map<string, number>();
  const seen = new Set<string>();
  for (const line of listed.split('\n').filter((text) => text !== '')) {
    const [path, inode, bytes] = line.split('\t') as [string, string, string];
    if (seen.has(inode)) continue;
    seen.add(inode);
    const top = path.split('/')[1]!;
    sizes.set(top, (sizes.get(top) ?? 0) + Number(bytes));
  }
  return sizes;
}

function namedParts(host: TestHost): { readonly layers: readonly string[]; readonly blobs: readonly string[] } {
  const rows = queryStore(host, 'SELECT id, manifest_digest, layers FROM images');
  const layers = rows.flatMap((row) => (JSON.parse(String(row['layers'])) as string[]).map((layer) => layer.slice(7)));
  const blobs = rows.flatMap((row) => [String(row['id']), String(row['manifest_digest']).slice(7)]);
  return { layers: sorted(layers), blobs: sorted(blobs) };
}

function imageFiles(host: TestHost): ImageFiles {
  const names = (directory: string): readonly string[] => {
    const path = host.path(`${host.store}/${directory}`);
    return existsSync(path) ? sorted(readdirSync(path)) : [];
  };
  return {
    layers: names('layers').filter((name) => LAYER.test(name)),
    blobs: names('blobs/sha256'),
    links: names('layers/l'),
    unsettled: names('layers/unsettled'),
    tmp: names('tmp'),
  };
}

function sorted(names: Iterable<string>): readonly string[] {
  return [...new Set(names)].toSorted();
}
