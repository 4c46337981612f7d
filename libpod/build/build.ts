/** `build`: from a request to an image in the store. */
import { Readable } from 'node:stream';
import { build as buildStages, type BuildParts } from '../../build/build.ts';
import { imageDocuments, squashed } from '../../build/document.ts';
import type { BuildMachine } from '../../build/machine.ts';
import type { BuildRequest } from '../../build/request.ts';
import type { StageState } from '../../build/state.ts';
import { asId, type ImageId } from '../../core/id.ts';
import { digestHex } from '../../core/digest.ts';
import { Root } from '../../host/root.ts';
import type { StoredImage } from '../../storage/copy.ts';
import { packChanges } from '../../storage/driver/pack-changes.ts';
import type { ImageConfig, Platform } from '../../storage/image.ts';
import { StagingDirectory } from '../../storage/layer/staging.ts';
import { formatReference } from '../../storage/reference.ts';
import type { TarMember } from '../../storage/tar/read.ts';
import { tarBytes } from '../../storage/tar/stream.ts';
import { packTree } from '../../storage/tree/pack.ts';
import { userIn } from '../container/in-root.ts';
import type { Engine } from '../engine.ts';
import { imageBlobs, stagingDirectory } from '../image/blobs.ts';
import { keepCopy } from '../image/store.ts';
import { nameToTag } from '../image/tag.ts';
import type { ContainerWish } from '../spec/wish.ts';
import { runInStep, type StepOutput } from './container.ts';
import { ContextDigests } from './file-digests.ts';
import { buildsDirectory } from './heal.ts';
import { buildMachine, isLayerLost } from './machine.ts';
import { BuildNetwork } from './network.ts';
import { writeOutput, type BuildOutput } from './output.ts';
import type { RepositoriesOfBuild, RepositoryChoice } from './step-repositories.ts';

export interface EngineBuild {
  readonly request: BuildRequest;
  readonly tags: readonly string[];
  readonly outputs: readonly BuildOutput[];
  readonly wish: ContainerWish;
  /** Where RUN of a stage, counted from 0, writes to. */
  readonly output: (stage: number) => StepOutput;
  /** What RUN reads from; absent: it reads an end at once. */
  readonly stdin?: number | undefined;
  readonly pull: (name: string, platform: Platform | undefined) => Promise<string>;
  readonly repositories?: RepositoryChoice | undefined;
  /** Ends what runs; the build fails then. */
  readonly signal?: AbortSignal | undefined;
  /** Called when all steps are done and the image is about to be kept. */
  readonly onCommit: () => void;
}

const ATTEMPTS = 3;

/** Throws DOCKERFILE, INVALID_REFERENCE, and what images, layers and the runtime throw. A failure leaves nothing but the cache of steps. */
export async function buildImage(engine: Engine, wanted: EngineBuild): Promise<ImageId> {
  const names = wanted.tags.map((tag) => formatReference(nameToTag(tag)));
  using scratch = StagingDirectory.make(stagingDirectory(engine));
  using running = StagingDirectory.make(buildsDirectory(engine));
  await using network = new BuildNetwork(engine, running.path);
  const { wish, output, stdin, pull } = wanted;
  const { digests, request } = withDigests(engine, wanted.request);
  const repositories = await repositoriesOf(engine, wanted);
  const signal = repositories?.signal ?? wanted.signal;
  const step = { engine, wish, network, directory: running.path, output, stdin, warn: request.warn, signal };
  const adapt = (members: AsyncIterable<TarMember>) => retimed(members, request);
  const machine = await buildMachine({
    engine,
    scratch: scratch.path,
    memory: running.path,
    mountTargets: wish.mounts.map(({ target }) => target),
    ownPids: (wish.namespaces.pid ?? { kind: 'private' }).kind === 'private',
    pull,
    run: (one) => runInStep(step, one),
    signal,
    adapt,
  });
  const stored = await keepCopy(engine, { names, event: 'build' }, async () => {
    const squash = (state: StageState): Promise<StageState> => asAsked(engine, machine, state, request);
    const parts = { machine, lookUpOwner, squash, repositories };
    const stages = (): Promise<StageState> => buildWithPatience(parts, request).finally(() => digests?.save());
    const state = await (repositories === undefined ? stages() : repositories.whenSent(stages));
    wanted.onCommit();
    const same = unchanged(engine, state, request);
    if (same !== undefined) return same;
    return await storeDocuments(engine, machine, await squash(state), request);
  });
  if (wanted.outputs.length > 0) {
    await using view = stored.layers.length === 0 ? undefined : await machine.view(stored.layers);
    const tree = { path: view?.path, imageId: stored.imageId, names };
    for (const place of wanted.outputs) await writeOutput(engine, tree, place, signal);
  }
  return stored.imageId;
}

async function repositoriesOf(engine: Engine, { repositories, request, signal }: EngineBuild): Promise<RepositoriesOfBuild | undefined> {
  if (repositories === undefined) return undefined;
  const { RepositoriesOfBuild } = await import('./step-repositories.ts');
  return new RepositoriesOfBuild(engine, repositories, { tell: request.tell, signal });
}

/** What was fetched into the store for this build will not come again. */
function withDigests(engine: Engine, request: BuildRequest): { readonly digests?: ContextDigests; readonly request: BuildRequest } {
  const { context } = request;
  if (context === undefined || context.root.path.startsWith(`${engine.paths.store}/`)) return { request };
  const digests = new ContextDigests(engine, context.root.path);
  return { digests, request: { ...request, context: { ...context, digests } } };
}

/** A Dockerfile that changes nothing gives names to the image that it begins with. */
function unchanged(engine: Engine, state: StageState, request: BuildRequest): StoredImage | undefined {
  const asks = [request.annotations, request.unsetEnv, request.unsetLabels, request.unsetAnnotations].some(
    (one) => Object.keys(one).length > 0,
  );
  if (
    asks ||
    request.osVersion !== undefined ||
    request.osFeatures.length > 0 ||
    !request.inheritLabels ||
    request.omitHistory ||
    request.layers === 'all' ||
    request.timestamp !== undefined
  )
    return undefined;
  const found = state.base === undefined || state.history.length > state.baseHistory ? undefined : engine.images.byId(state.base.id);
  if (found === undefined || state.layers.length !== found.layers.length) return undefined;
  const { id, manifestDigest, manifestType, indexDigest, config, layers, sizeBytes } = found;
  return {
    imageId: id,
    manifestDigest,
    mediaType: manifestType,
    ...(indexDigest === undefined ? {} : { indexDigest }),
    config,
    layers,
    names: [],
    sizeBytes,
  };
}

async function buildWithPatience(parts: BuildParts, request: BuildRequest): Promise<StageState> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await buildStages(request, parts);
    } catch (error) {
      if (attempt === ATTEMPTS || !isLayerLost(error)) throw error;
    }
  }
}

function lookUpOwner(root: Root | undefined, text: string): { readonly uid: number; readonly gid: number } {
  const [user = '', group] = text.split(':');
  const asked = user === '' ? '0' : user;
  const spec = group === undefined && /^\d+$/.test(asked) ? `${asked}:${asked}` : text;
  if (root !== undefined) return userIn(root, { user: spec, groupAdd: [] });
  const [uid, gid = uid] = spec.split(':').map(Number);
  return { uid: uid ?? 0, gid: gid ?? 0 };
}

/** With `--timestamp` the files of new layers have its time, with `--rewrite-timestamp` none is younger. */
async function* retimed(members: AsyncIterable<TarMember>, { timestamp, fileTimes }: BuildRequest): AsyncGenerator<TarMember, void> {
  for await (const { entry, body } of members) {
    const changes = timestamp !== undefined && (fileTimes === 'all' || (fileTimes === 'younger' && entry.mtime.seconds >= timestamp));
    yield changes ? { entry: { ...entry, mtime: { seconds: timestamp, nanoseconds: 0 } }, body } : { entry, body };
  }
}

/** The layers of the stage, or those put together that `--squash` and its kin want. */
async function asAsked(engine: Engine, machine: BuildMachine, state: StageState, request: BuildRequest): Promise<StageState> {
  const kept = request.layers === 'all' ? 0 : state.baseLayers;
  if (request.layers === 'each' || state.layers.length === kept) return state;
  if (request.layers === 'one' && state.layers.length === kept + 1) return squashed(state, state.layers[kept]!, kept);
  const [store, { unionChanges }] = [await engine.layers(), await import('../../storage/driver/changes.ts')];
  await using view = await machine.view(state.layers);
  using root = new Root(view.path);
  const [above, below] = [store.lowerDirs(state.layers), store.lowerDirs(state.layers.slice(0, kept))];
  const members =
    kept === 0
      ? packTree(root.fd, Buffer.from('.'), Buffer.alloc(0), { keepXattr: (name) => name !== 'security.selinux' })
      : packChanges(view.path, changesOf(unionChanges(above, below)));
  const { facts } = await store.add(Readable.from(tarBytes(retimed(members, request)), { objectMode: false, highWaterMark: 2 ** 20 }));
  return squashed(state, facts.diffId, kept);
}

async function* changesOf<T>(changes: Iterable<T>): AsyncGenerator<T, void> {
  yield* changes;
}

async function storeDocuments(engine: Engine, machine: BuildMachine, state: StageState, request: BuildRequest): Promise<StoredImage> {
  const sizes = state.layers.map((layer) => machine.layerBytes(layer));
  const { config, manifest, mediaType } = imageDocuments(state, sizes, request);
  const blobs = imageBlobs(engine);
  const configDigest = await blobs.put(config);
  const manifestDigest = await blobs.put(manifest);
  return {
    imageId: asId<ImageId>(digestHex(configDigest)),
    manifestDigest,
    mediaType,
    config: JSON.parse(config.toString()) as ImageConfig,
    layers: state.layers,
    names: [],
    sizeBytes: sizes.reduce((sum, bytes) => sum + bytes, 0) + config.length + 2 * manifest.length,
  };
}
