/** `diff`: what a container or an image changes, against what it was made from or against another one. */
import { existsSync } from 'node:fs';
import type { Digest } from '../core/digest.ts';
import { EngineError, isEngineError } from '../core/errors.ts';
import type { Change } from '../storage/driver/driver.ts';
import { placesOf } from './container/places.ts';
import type { Engine } from './engine.ts';
import { lookUpImage } from './image/find.ts';
import type { ContainerRecord } from './state/containers.ts';

export type DiffKind = 'any' | 'container' | 'image';

/**
 * Changes in byte order of the paths. Without `other` a container is compared with its image, an image with what lies below its topmost layer.
 * What a start puts into every container is left out. Throws NO_SUCH_OBJECT, NOT_SUPPORTED (a root file system of the caller's own), STORE_CORRUPT.
 */
export async function changesOf(engine: Engine, kind: DiffKind, name: string, other?: string): Promise<readonly Change[]> {
  const tree = await findTree(engine, kind, name);
  const below = other === undefined ? undefined : await findTree(engine, kind, other);
  const changes = below === undefined ? await ownChanges(engine, tree) : await differences(tree, below);
  return changes.filter(({ path }) => !MADE_BY_START.has(path.toString('latin1')));
}

/** Paths that are there for every container (Podman's libpod/diff.go). */
const MADE_BY_START: ReadonlySet<string> = new Set([
  '/dev',
  '/etc/hostname',
  '/etc/hosts',
  '/etc/mtab',
  '/etc/resolv.conf',
  '/proc',
  '/run',
  '/run/.containerenv',
  '/run/notify',
  '/run/podman-init',
  '/run/secrets',
  '/sys',
]);

/** Directories in overlay format that make up a root file system, topmost first. */
interface Tree {
  readonly directories: readonly string[];
  readonly container?: { readonly upper: string; readonly merged: string; readonly lowers: readonly string[] };
}

async function findTree(engine: Engine, kind: DiffKind, name: string): Promise<Tree> {
  if (kind !== 'container') {
    const found = await lookUpImage(engine, name);
    if (found) return imageTree(engine, found.image.layers);
  }
  if (kind !== 'image') {
    const record = findContainer(engine, name);
    if (record) return containerTree(engine, record);
  }
  const why = { any: 'layer not known', container: 'container not known', image: `${name}: image not known` }[kind];
  throw new EngineError('NO_SUCH_OBJECT', `${name} not found: ${why}`);
}

function findContainer(engine: Engine, name: string): ContainerRecord | undefined {
  try {
    return engine.containers.find(name);
  } catch (error) {
    if (isEngineError(error, 'NO_SUCH_CONTAINER', 'INVALID_ARGUMENT')) return undefined;
    throw error;
  }
}

async function imageTree(engine: Engine, layers: readonly Digest[]): Promise<Tree> {
  if (layers.length === 0) throw new EngineError('NO_SUCH_OBJECT', 'layer not known');
  const store = await engine.layers();
  // A missing layer is told by name.
  for (const layer of layers) store.facts(layer);
  return { directories: layers.map((layer) => store.tree(layer)).toReversed() };
}

async function containerTree(engine: Engine, { id, config }: ContainerRecord): Promise<Tree> {
  if (config.rootfs) throw new EngineError('NOT_SUPPORTED', `container ${id} has no layers: its root file system is ${config.rootfs.path}`);
  const { upper, merged } = placesOf(engine, id);
  const [store, driver] = await Promise.all([engine.layers(), engine.driver()]);
  const lowers = store.lowerDirs(config.layers as readonly Digest[]);
  // What a container of vfs wrote stands in a tree that holds the image as well.
  const directories = driver.name === 'vfs' ? [upper] : [upper, ...lowers];
  return { directories: directories.filter((path) => existsSync(path)), container: { upper, merged, lowers } };
}

async function ownChanges(engine: Engine, { directories, container }: Tree): Promise<readonly Change[]> {
  if (container) return existsSync(container.upper) ? Array.fromAsync((await engine.driver()).changes(container)) : [];
  const { overlayChanges } = await import('../storage/driver/changes.ts');
  return [...overlayChanges(directories[0]!, directories.slice(1))];
}

async function differences(tree: Tree, below: Tree): Promise<readonly Change[]> {
  const { unionChanges } = await import('../storage/driver/changes.ts');
  return [...unionChanges(tree.directories, below.directories)];
}
