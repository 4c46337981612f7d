/**
 * `system check`: every object of the store against what its row, its digest and its neighbours say of it. Nothing is changed here (repair.ts does).
 *
 * A damaged layer damages every image and container made of it, and each of them is named. Layers that nothing names are left by killed copies;
 * they count as damage only when they are old, for a copy under way is about to name its own.
 */
import { existsSync } from 'node:fs';
import type { Digest } from '../../core/digest.ts';
import { isEngineError } from '../../core/errors.ts';
import type { ContainerId, ImageId } from '../../core/id.ts';
import type { LayerDamage, LayerStore } from '../../storage/layer/store.ts';
import { placesOf, volumeData } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs } from '../image/blobs.ts';
import { digestOfId } from '../image/garbage.ts';
import { isList } from '../state/images.ts';

export interface CheckOptions {
  /** Leave out what needs whole layers to be read. */
  readonly quick: boolean;
  /** Layers that nothing names are told from this age on. */
  readonly maxAgeMs: number;
}

/** Objects and what is wrong with each, in words; sound ones are not in it. */
export interface CheckReport {
  readonly database: readonly string[];
  readonly layers: ReadonlyMap<Digest, readonly string[]>;
  /** Named by no image and no container, and old. */
  readonly strayLayers: readonly Digest[];
  readonly images: ReadonlyMap<ImageId, ImageDamage>;
  readonly containers: ReadonlyMap<ContainerId, readonly string[]>;
  readonly volumes: ReadonlyMap<string, readonly string[]>;
  readonly artifacts: ReadonlyMap<string, readonly string[]>;
}

export interface ImageDamage {
  readonly row: readonly string[];
  /** Manifest or config: missing, or with other bytes than its name says. */
  readonly documents: ReadonlyMap<Digest, string>;
  readonly layers: ReadonlyMap<Digest, LayerDamage>;
}

export async function checkStore(engine: Engine, options: CheckOptions): Promise<CheckReport> {
  const store = await engine.layers();
  const examined = new Map<Digest, Promise<LayerDamage>>();
  const examine = (layer: Digest): Promise<LayerDamage> => {
    let damage = examined.get(layer);
    if (damage === undefined) examined.set(layer, (damage = store.examine(layer, options)));
    return damage;
  };
  const images = new Map<ImageId, ImageDamage>();
  for (const { id } of imageRows(engine)) {
    const damage = await checkImage(engine, id, examine);
    // Whoever removed it in the meantime took its parts along.
    if (isDamaged(damage) && engine.images.has(id)) images.set(id, damage);
  }
  const containers = new Map<ContainerId, readonly string[]>();
  for (const record of engine.containers.list()) {
    const problems = await checkContainer(engine, record, examine);
    if (problems.length > 0 && engine.containers.has(record.id)) containers.set(record.id, problems);
  }
  const layers = new Map<Digest, readonly string[]>();
  for (const [layer, damage] of examined) {
    const problems = problemsOf(await damage);
    if (problems.length > 0) layers.set(layer, problems);
  }
  return {
    database: databaseProblems(engine),
    layers,
    strayLayers: oldStrays(store, examined, options.maxAgeMs),
    images,
    containers,
    volumes: volumeProblems(engine),
    artifacts: await artifactProblems(engine),
  };
}

/** The same for one image, as it is now. */
export async function checkImage(engine: Engine, id: ImageId, examine: (layer: Digest) => Promise<LayerDamage>): Promise<ImageDamage> {
  const row = imageRows(engine).find((one) => one.id === id);
  const documents = new Map<Digest, string>();
  if (!row) return { row: [], documents, layers: new Map() };
  for (const [digest, what] of row.documents) {
    const problem = await blobProblem(engine, digest);
    if (problem !== undefined) documents.set(digest, `${what} ${digest}: ${problem}`);
  }
  const layers = new Map<Digest, LayerDamage>();
  for (const layer of new Set(row.layers ?? [])) {
    const damage = await examine(layer);
    if (problemsOf(damage).length > 0) layers.set(layer, damage);
  }
  return { row: row.problems, documents, layers };
}

async function blobProblem(engine: Engine, digest: Digest): Promise<string | undefined> {
  try {
    return (await imageBlobs(engine).verify(digest)) ? undefined : 'it has other bytes than its digest says';
  } catch (error) {
    if (!isEngineError(error, 'STORE_CORRUPT')) throw error;
    return 'it is missing';
  }
}

async function artifactProblems(engine: Engine): Promise<ReadonlyMap<string, readonly string[]>> {
  const damaged = new Map<string, readonly string[]>();
  for (const { name, blobs } of engine.artifacts.list()) {
    const problems: string[] = [];
    for (const digest of blobs) {
      const problem = await blobProblem(engine, digest);
      if (problem !== undefined) problems.push(`blob ${digest}: ${problem}`);
    }
    if (problems.length > 0 && engine.artifacts.byName(name) !== undefined) damaged.set(name, problems);
  }
  return damaged;
}

export function isDamaged({ row, documents, layers }: ImageDamage): boolean {
  return row.length > 0 || documents.size > 0 || layers.size > 0;
}

export function imageProblems({ row, documents, layers }: ImageDamage): readonly string[] {
  return [...row, ...documents.values(), ...[...layers].flatMap(([layer, damage]) => inLayer(layer, problemsOf(damage)))];
}

export function problemsOf({ link, facts, content }: LayerDamage): readonly string[] {
  return [...content, ...facts, ...link];
}

export function isSound(report: CheckReport): boolean {
  const { database, strayLayers, layers, images, containers, volumes, artifacts } = report;
  return database.length + strayLayers.length === 0 && [layers, images, containers, volumes, artifacts].every(({ size }) => size === 0);
}

interface ImageRow {
  readonly id: ImageId;
  /** What is kept of it in blobs/, and what each is. */
  readonly documents: ReadonlyMap<Digest, string>;
  /** Undefined where the row does not tell any more. */
  readonly layers: readonly Digest[] | undefined;
  readonly problems: readonly string[];
}

/** Past the table's own reading, which stops at the first row it cannot understand. */
function imageRows(engine: Engine): readonly ImageRow[] {
  return engine.db.all('SELECT id, manifest_digest, manifest_type, config, layers FROM images ORDER BY created_ms DESC, id').map((row) => {
    const id = String(row['id']) as ImageId;
    const manifestDigest = String(row['manifest_digest']) as Digest;
    if (isList({ manifestType: String(row['manifest_type']) })) return listRow(engine, id, manifestDigest);
    const layers = parsed<readonly Digest[]>(row['layers']);
    const config = parsed<{ readonly rootfs?: { readonly diff_ids?: readonly Digest[] } }>(row['config']);
    const agrees = layers !== undefined && JSON.stringify(config?.rootfs?.diff_ids) === JSON.stringify(layers);
    return {
      id,
      documents: new Map([
        [digestOfId(id), 'config'],
        [manifestDigest, 'manifest'],
      ]),
      layers: layers ?? config?.rootfs?.diff_ids,
      problems: agrees ? [] : ['its row in the database is damaged'],
    };
  });
}

/** A list has no config and no layers of its own, but keeps those of what it lists. */
function listRow(engine: Engine, id: ImageId, manifestDigest: Digest): ImageRow {
  const instances = engine.lists.instances(id);
  const parts = instances.flatMap(({ blobs }) => blobs).map((digest): [Digest, string] => [digest, 'part of the list']);
  return {
    id,
    documents: new Map([...parts, [manifestDigest, 'manifest list']]),
    layers: instances.flatMap(({ layers }) => layers),
    problems: [],
  };
}

function parsed<T>(text: unknown): T | undefined {
  try {
    return JSON.parse(String(text)) as T;
  } catch {
    return undefined;
  }
}

async function checkContainer(
  engine: Engine,
  record: ReturnType<Engine['containers']['list']>[number],
  examine: (layer: Digest) => Promise<LayerDamage>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const layer of record.config.layers as readonly Digest[]) problems.push(...inLayer(layer, problemsOf(await examine(layer))));
  const { directory } = placesOf(engine, record.id);
  if (record.startedMs !== undefined && !existsSync(directory)) problems.push(`its directory ${directory} is missing`);
  return problems;
}

function inLayer(layer: Digest, problems: readonly string[]): readonly string[] {
  return problems.map((problem) => `layer ${layer}: ${problem}`);
}

function oldStrays(store: LayerStore, named: ReadonlyMap<Digest, unknown>, maxAgeMs: number): readonly Digest[] {
  const limit = Date.now() - maxAgeMs;
  return store.list().filter((layer) => {
    if (named.has(layer)) return false;
    try {
      return store.facts(layer).createdMs < limit;
    } catch (error) {
      if (isEngineError(error, 'STORE_CORRUPT')) return true;
      throw error;
    }
  });
}

function volumeProblems(engine: Engine): ReadonlyMap<string, readonly string[]> {
  const missing = engine.volumes.list().filter(({ name }) => !existsSync(volumeData(engine, name)));
  return new Map(missing.map(({ name }) => [name, [`its directory ${volumeData(engine, name)} is missing`]]));
}

function databaseProblems(engine: Engine): readonly string[] {
  return engine.db
    .all('PRAGMA integrity_check(10)')
    .map((row) => String(row['integrity_check']))
    .filter((line) => line !== 'ok');
}
