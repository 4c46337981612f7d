/** The engine as a build sees it. */
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { BaseImage, BuildMachine, MountedTree, RunRequest, WritableTree } from '../../build/machine.ts';
import type { Digest } from '../../core/digest.ts';
import { isEngineError } from '../../core/errors.ts';
import { bindMount, unmountAll } from '../../host/mount.ts';
import { randomHex } from '../../host/random.ts';
import { packChanges } from '../../storage/driver/pack-changes.ts';
import type { Platform } from '../../storage/image.ts';
import type { TarMember } from '../../storage/tar/read.ts';
import { tarBytes } from '../../storage/tar/stream.ts';
import { download } from '../download.ts';
import type { Engine } from '../engine.ts';
import { cachesDirectory } from './caches.ts';
import { directoryIn } from './context.ts';
import { checkOut } from './git.ts';
import { findImage } from '../image/find.ts';
import { BuildStepTable } from '../state/build-steps.ts';

export interface MachineParts {
  readonly engine: Engine;
  /** A directory of the store that goes with the build. */
  readonly scratch: string;
  /** The same in the run directory. */
  readonly memory: string;
  readonly mountTargets: readonly string[];
  /** Containers of steps have a pid namespace of their own, with which all their processes end. */
  readonly ownPids: boolean;
  /** Get the image here if the pull policy says so; resolves with what it is found by. */
  readonly pull: (name: string, platform: Platform | undefined) => Promise<string>;
  readonly run: (request: RunRequest) => Promise<number>;
  readonly signal?: AbortSignal | undefined;
  /** Changes what each member of a new layer says. */
  readonly adapt: (members: AsyncIterable<TarMember>) => AsyncIterable<TarMember>;
}

export async function buildMachine({
  engine,
  scratch,
  memory,
  mountTargets,
  ownPids,
  pull,
  run,
  signal,
  adapt,
}: MachineParts): Promise<BuildMachine> {
  const [store, driver] = [await engine.layers(), await engine.driver()];
  const steps = new BuildStepTable(engine.db);
  const place = (): string => {
    const path = join(scratch, `tree-${randomHex(6)}`);
    mkdirSync(path, { mode: 0o700 });
    return path;
  };
  const overlaid = async (lowers: readonly string[]): Promise<MountedTree & { readonly upper: string }> => {
    const directory = place();
    const [path, upper, work] = [join(directory, 'merged'), join(directory, 'upper'), join(directory, 'work')];
    await driver.mount({ lowers, upper, work, merged: path, volatile: true });
    return { path, upper, [Symbol.asyncDispose]: () => driver.unmount(path) };
  };
  return {
    scratch,
    memory,
    run,
    async image(name, platform) {
      return await baseImage(engine, await pull(name, platform));
    },
    async view(layers): Promise<MountedTree> {
      const path = join(place(), 'merged');
      await driver.mount({ lowers: store.lowerDirs(layers), merged: path });
      return { path, [Symbol.asyncDispose]: () => driver.unmount(path) };
    },
    async writable(layers): Promise<WritableTree> {
      const lowers = store.lowerDirs(layers);
      const { upper, ...tree } = await overlaid(lowers);
      const changes = () => packChanges(upper, driver.changes({ lowers, upper, merged: tree.path }));
      return { ...tree, changes, written: ownPids ? upper : undefined };
    },
    async checkOut(repository, { keepGitDirectory }) {
      const top = place();
      const commit = await checkOut(repository, top, { env: engine.options.env, keepGitDirectory, signal });
      return { path: repository.directory === undefined ? top : directoryIn(top, repository.directory), commit };
    },
    async bind(source, kind): Promise<MountedTree> {
      const path = join(place(), 'bound');
      if (kind === 'directory') mkdirSync(path);
      else writeFileSync(path, '');
      bindMount(source, path);
      return { path, [Symbol.asyncDispose]: async () => unmountAll(path) };
    },
    mountTargets,
    overlay: (directory) => overlaid([realpathSync(directory)]),
    caches: cachesDirectory(engine),
    addLayer: (members, atHand) =>
      store.add(Readable.from(tarBytes(adapt(members)), { objectMode: false, highWaterMark: 2 ** 20 }), { atHand }),
    layerBytes: (layer: Digest) => store.facts(layer).tarBytes,
    download: (url) => download(url, { env: engine.options.env, config: engine.paths.config, signal }),
    cache: {
      find(key) {
        const found = steps.find(key);
        return found?.layer !== undefined && !store.has(found.layer) ? undefined : found;
      },
      keep: (key, step) => steps.keep(key, step),
    },
  };
}

async function baseImage(engine: Engine, found: string): Promise<BaseImage> {
  const { image, name } = await findImage(engine, found);
  const { id, manifestDigest, config, layers, names } = image;
  return { id, name: name ?? names[0], manifestDigest, config, layers };
}

/** A layer that somebody has removed meanwhile: the step that made it is done again. */
export function isLayerLost(error: unknown): boolean {
  return isEngineError(error, 'STORE_CORRUPT');
}
