/**
 * Mend one damaged image and nothing else: from what is here where that is enough (links, counts, the config that the row still has, the row that
 * the config still has), else by pulling its damaged parts from the registries its names stand for. What comes is checked against the digests
 * that the image has always had, so a name that means another image by now mends nothing.
 */
import { readFileSync, renameSync } from 'node:fs';
import type { Digest } from '../../core/digest.ts';
import { EngineError, isEngineError } from '../../core/errors.ts';
import type { ImageId } from '../../core/id.ts';
import { isMountPoint } from '../../host/mount.ts';
import { Blobs } from '../../storage/blobs.ts';
import type { LayerSink } from '../../storage/copy.ts';
import { StagingDirectory } from '../../storage/layer/staging.ts';
import type { LayerStore } from '../../storage/layer/store.ts';
import { loadPolicy } from '../../storage/policy.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { formatReference, parseReference, repositoryOf } from '../../storage/reference.ts';
import { placesOf } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { checkImage, imageProblems, isDamaged, type ImageDamage } from '../system/check.ts';
import { imageBlobs, stagingDirectory } from './blobs.ts';
import { registriesConf } from './find.ts';
import { digestOfId } from './garbage.ts';
import { mountedAt } from './mount.ts';

export interface RepairOptions {
  readonly quick: boolean;
  readonly onEvent?: OnCopyEvent | undefined;
}

/** Resolves with where the parts came from. Throws IN_USE, NOT_SUPPORTED (no registry to ask), STORE_CORRUPT, and what a pull throws. */
export async function repairImage(engine: Engine, id: ImageId, given: ImageDamage, options: RepairOptions): Promise<string> {
  const store = await engine.layers();
  const examine = (layer: Digest) => store.examine(layer, options);
  await mendFromHere(engine, store, id, given);
  const damage = await checkImage(engine, id, examine);
  if (!isDamaged(damage)) return 'what is here';
  const layers = [...damage.layers.keys()];
  refuseInUse(engine, layers);
  const from = await pullParts(engine, store, id, { layers, documents: [...damage.documents.keys()] }, options);
  // The row may be read again from the config that has just come.
  await mendFromHere(engine, store, id, damage);
  const rest = await checkImage(engine, id, examine);
  if (isDamaged(rest)) throw new EngineError('STORE_CORRUPT', imageProblems(rest).join('; '));
  return from;
}

async function mendFromHere(engine: Engine, store: LayerStore, id: ImageId, damage: ImageDamage): Promise<void> {
  for (const [layer, { link, facts, content }] of damage.layers) {
    if (!store.has(layer)) continue;
    if (link.length > 0) store.relink(layer);
    if (facts.length > 0 && content.length === 0 && (await store.verify(layer))) await store.recount(layer);
  }
  const config = digestOfId(id);
  if (damage.documents.has(config)) await configFromRow(engine, id);
  if (damage.row.length > 0 && (await isWhole(engine, config))) rowFromConfig(engine, id);
}

/** The row holds the config as it was understood; often that is all there was. */
async function configFromRow(engine: Engine, id: ImageId): Promise<void> {
  const text = engine.db.get('SELECT config FROM images WHERE id = ?', id)?.['config'];
  if (typeof text !== 'string') return;
  using staging = StagingDirectory.make(stagingDirectory(engine));
  const aside = new Blobs({ directory: staging.path, staging: stagingDirectory(engine) });
  try {
    await aside.put(Buffer.from(text), digestOfId(id));
  } catch (error) {
    if (isEngineError(error, 'IMAGE_CORRUPT')) return;
    throw error;
  }
  moveBlob(engine, aside, digestOfId(id));
}

async function isWhole(engine: Engine, digest: Digest): Promise<boolean> {
  return (await imageBlobs(engine).has(digest)) && (await imageBlobs(engine).verify(digest));
}

function rowFromConfig(engine: Engine, id: ImageId): void {
  const text = readFileSync(imageBlobs(engine).path(digestOfId(id)), 'utf8');
  const { rootfs } = JSON.parse(text) as { readonly rootfs: { readonly diff_ids: readonly Digest[] } };
  engine.db.run('UPDATE images SET config = ?, layers = ? WHERE id = ?', text, JSON.stringify(rootfs.diff_ids), id);
}

/** A layer that is mounted cannot be changed under those who look at it. */
function refuseInUse(engine: Engine, layers: readonly Digest[]): void {
  const users = engine.containers
    .list()
    .filter((record) => record.config.layers.some((layer) => layers.includes(layer as Digest)))
    .filter(({ id }) => isMountPoint(placesOf(engine, id).merged))
    .map(({ name }) => name);
  if (users.length > 0) throw new EngineError('IN_USE', `containers use it now; stop or unmount them first: ${users.join(', ')}`);
  const mounted = engine.mounts.ids('image').filter((id) => mountedAt(engine, id as ImageId) !== undefined);
  const images = mounted.filter((id) => engine.images.byId(id)?.layers.some((layer) => layers.includes(layer)));
  if (images.length > 0) throw new EngineError('IN_USE', `images are mounted; unmount them first: ${images.join(', ')}`);
}

interface Parts {
  readonly layers: readonly Digest[];
  readonly documents: readonly Digest[];
}

async function pullParts(engine: Engine, store: LayerStore, id: ImageId, parts: Parts, options: RepairOptions): Promise<string> {
  const failures: unknown[] = [];
  for (const source of sourcesOf(engine, id)) {
    try {
      await pullFrom(engine, store, id, source, parts, options);
      return `docker://${source}`;
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  throw new EngineError('NOT_SUPPORTED', 'none of its names stands for an image in a registry');
}

/** The exact manifest first, whatever the tag means by now. */
function sourcesOf(engine: Engine, id: ImageId): readonly string[] {
  const row = engine.db.get('SELECT manifest_digest FROM images WHERE id = ?', id);
  const names = engine.db.all('SELECT name FROM image_names WHERE image_id = ? ORDER BY seq DESC', id).map((one) => String(one['name']));
  const references = names.map(parseReference).filter(({ domain }) => domain !== 'localhost');
  return [
    ...new Set([
      ...references.map((reference) => `${repositoryOf(reference)}@${String(row?.['manifest_digest'])}`),
      ...references.map((reference) => formatReference(reference)),
    ]),
  ];
}

async function pullFrom(
  engine: Engine,
  store: LayerStore,
  id: ImageId,
  image: string,
  parts: Parts,
  { onEvent }: RepairOptions,
): Promise<void> {
  const [{ pullImage }, { openCredentials }, { hostPlatform }, registries] = await Promise.all([
    import('../../storage/pull.ts'),
    import('../../storage/registry/credentials.ts'),
    import('../../storage/platform.ts'),
    registriesConf(engine),
  ]);
  const { env } = engine.options;
  using staging = StagingDirectory.make(stagingDirectory(engine));
  const blobs = new Blobs({ directory: staging.path, staging: stagingDirectory(engine) });
  const stored = await pullImage({
    image,
    layers: sinkFor(store, parts.layers, image),
    blobs,
    policy: await loadPolicy({ config: engine.paths.config, file: undefined }),
    platform: hostPlatform(),
    registries,
    credentials: openCredentials({ creds: undefined, authFile: undefined, env, helpers: registries.credentialHelpers }),
    certificates: { config: engine.paths.config, certDir: undefined, env },
    onEvent,
  });
  if (stored.imageId !== id) throw anotherImage(image);
  for (const document of parts.documents) if (blobs.hasNow(document)) moveBlob(engine, blobs, document);
}

/** Takes the damaged layers, has all others of the image, and knows no strangers. */
function sinkFor(store: LayerStore, damaged: readonly Digest[], image: string): LayerSink {
  const waiting = new Set(damaged);
  return {
    has: (layer) => !waiting.has(layer),
    apply: async (layer, source, options) => {
      if (!waiting.has(layer) && !store.has(layer)) throw anotherImage(image);
      if (!waiting.delete(layer)) return { facts: { tarBytes: 0 }, notices: [] };
      return store.replace(layer, source, options);
    },
  };
}

function anotherImage(image: string): EngineError {
  return new EngineError('MANIFEST_UNKNOWN', `${image} is another image by now`);
}

function moveBlob(engine: Engine, from: Blobs, digest: Digest): void {
  renameSync(from.path(digest), imageBlobs(engine).path(digest));
}
