/** `commit`: what a container has written becomes a layer, its configuration the configuration of a new image. */
import { lstatSync, readdirSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { Digest } from '../../core/digest.ts';
import { EngineError } from '../../core/errors.ts';
import { asId, type ContainerId, type ImageId } from '../../core/id.ts';
import { plainManifest } from '../../storage/convert.ts';
import type { StoredImage } from '../../storage/copy.ts';
import type { Change } from '../../storage/driver/driver.ts';
import { packChanges } from '../../storage/driver/pack-changes.ts';
import type { ContainerDefaults, HistoryEntry, ImageConfig } from '../../storage/image.ts';
import type { AppliedLayer } from '../../storage/layer/store.ts';
import { hostPlatform } from '../../storage/platform.ts';
import type { OnCopyEvent } from '../../storage/progress.ts';
import { formatReference, parseLocalReference } from '../../storage/reference.ts';
import { tarBytes } from '../../storage/tar/stream.ts';
import { packTree } from '../../storage/tree/pack.ts';
import { applyChanges } from '../../storage/transport/changes.ts';
import { Root } from '../../host/root.ts';
import type { Engine } from '../engine.ts';
import { keepCopy } from '../image/store.ts';
import { imageBlobs } from '../image/blobs.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { IdRange } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { containerEvent } from './event.ts';
import { lockAndRead } from './lock.ts';
import { placesOf } from './places.ts';
import { holdFrozen, holdRoot } from './hold.ts';

export interface CommitOptions {
  readonly reference?: string | undefined;
  readonly author?: string | undefined;
  readonly message?: string | undefined;
  readonly format: 'oci' | 'docker';
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  /** Settings laid over those of the container, before the changes. */
  readonly config?: ContainerDefaults | undefined;
  readonly pause: boolean;
  readonly includeVolumes: boolean;
  /** One layer with everything, and no history. */
  readonly squash: boolean;
  readonly onEvent?: OnCopyEvent | undefined;
}

/**
 * The layer is written once, straight into the layer store; the image's row comes last. A commit that is killed leaves at most a layer that
 * no image names, which the next sweep removes. The container stays locked meanwhile.
 * Throws NO_SUCH_CONTAINER, INVALID_ARGUMENT, INVALID_REFERENCE, STORE_FULL.
 */
export async function commitContainer(engine: Engine, id: ContainerId, options: CommitOptions): Promise<ImageId> {
  const names = options.reference === undefined ? [] : [formatReference(parseLocalReference(options.reference))];
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  if (record.config.rootfs) throw new EngineError('INVALID_ARGUMENT', 'cannot commit a container that uses an exploded rootfs');
  const defaults = changed({ ...containerDefaults(record.config, options), ...options.config }, options.changes);
  await using _frozen = options.pause && record.status === 'running' ? await holdFrozen(engine, record) : undefined;
  const stored = await keepCopy(engine, { names, event: 'commit' }, () => build(engine, record, defaults, options));
  engine.events.add(containerEvent(record, 'commit'));
  return stored.imageId;
}

/** A new CMD alone takes the ENTRYPOINT away, as Podman does it: the command is meant to be what runs. */
function changed(defaults: ContainerDefaults, changes: readonly string[]): ContainerDefaults {
  const has = (word: string): boolean => changes.some((change) => change.toUpperCase().trimStart().startsWith(word));
  const { Entrypoint, ...rest } = defaults;
  return applyChanges(has('CMD') || Entrypoint === undefined ? rest : { ...rest, Entrypoint }, changes);
}

/** The image of a container that has written nothing is still a new one: it has a layer of its own, without entries. */
async function build(engine: Engine, record: ContainerRecord, defaults: ContainerDefaults, options: CommitOptions): Promise<StoredImage> {
  const { onEvent, format, squash } = options;
  const store = await engine.layers();
  onEvent?.({ kind: 'signatures' });
  const below = squash ? [] : (record.config.layers as readonly Digest[]);
  for (const digest of below) onEvent?.({ kind: 'blob', digest, total: store.facts(digest).tarBytes, present: false });
  const added = await (squash ? addWholeTree(engine, record) : addChanges(engine, record));
  const { diffId, tarBytes: size } = added.facts;
  onEvent?.({ kind: 'blob', digest: diffId, total: size, present: false });
  for (const text of added.notices) onEvent?.({ kind: 'notice', text });

  const layers = [...below, diffId];
  const created = new Date().toISOString();
  const config = Buffer.from(JSON.stringify(imageConfig(engine, record, { defaults, layers, created, options })));
  const described = layers.map((digest) => ({ digest, size: store.facts(digest).tarBytes }));
  const { bytes: manifest, mediaType } = plainManifest(format, {
    config,
    layers: described,
    annotations: { 'org.opencontainers.image.created': created },
  });
  const blobs = imageBlobs(engine);
  const configDigest = await blobs.put(config);
  onEvent?.({ kind: 'config', digest: configDigest });
  const manifestDigest = await blobs.put(manifest);
  onEvent?.({ kind: 'manifest' });
  return {
    imageId: asId<ImageId>(configDigest.slice('sha256:'.length)),
    manifestDigest,
    mediaType,
    config: JSON.parse(config.toString()) as ImageConfig,
    layers,
    names: [],
    sizeBytes: described.reduce((sum, layer) => sum + layer.size, 0) + config.length + 2 * manifest.length,
  };
}

interface ConfigParts {
  readonly defaults: ContainerDefaults;
  readonly layers: readonly Digest[];
  readonly created: string;
  readonly options: CommitOptions;
}

function imageConfig(engine: Engine, { config }: ContainerRecord, { defaults, layers, created, options }: ConfigParts): object {
  const base = config.imageId === undefined ? undefined : engine.images.byId(config.imageId)?.config;
  const { os, architecture, variant } = base ?? hostPlatform();
  const { author, message, format, squash } = options;
  const step: HistoryEntry = {
    created,
    created_by: '/bin/sh',
    ...(author ? { author } : {}),
    ...(config.imageName === undefined ? {} : { comment: `FROM ${config.imageName}` }),
  };
  return {
    created,
    ...(author ? { author } : base?.author === undefined ? {} : { author: base.author }),
    ...(format === 'docker' && message ? { comment: message } : {}),
    architecture,
    ...(variant === undefined ? {} : { variant }),
    os,
    config: defaults,
    rootfs: { type: 'layers', diff_ids: layers },
    history: [...(squash ? [] : (base?.history ?? [])), step],
  };
}

/** What a container made of the image would have to be told again; healthchecks are Docker's, OCI has no word for them. */
function containerDefaults(config: ContainerConfig, { format, includeVolumes }: CommitOptions): ContainerDefaults {
  const ports = [
    ...config.network.expose,
    ...config.network.ports.flatMap(({ containerPort, range, protocol }) =>
      Array.from({ length: range }, (_, index) => `${containerPort + index}/${protocol}`),
    ),
  ];
  const volumes = config.mounts
    .filter((mount) => includeVolumes || (mount.type === 'volume' && mount.anonymous))
    .map(({ target }) => target);
  const objects = (keys: readonly string[]): Record<string, object> => Object.fromEntries([...new Set(keys)].map((key) => [key, {}]));
  return {
    ...(config.user === '' ? {} : { User: config.user }),
    ...(ports.length > 0 ? { ExposedPorts: objects(ports) } : {}),
    Env: config.env,
    ...(config.entrypoint.length > 0 ? { Entrypoint: config.entrypoint } : {}),
    ...(config.command.length > 0 ? { Cmd: config.command } : {}),
    ...(volumes.length > 0 ? { Volumes: objects(volumes) } : {}),
    WorkingDir: config.workdir,
    ...(Object.keys(config.labels).length > 0 ? { Labels: config.labels } : {}),
    ...(format === 'docker' && config.healthcheck ? { Healthcheck: config.healthcheck } : {}),
  };
}

async function addChanges(engine: Engine, record: ContainerRecord): Promise<AppliedLayer> {
  const store = await engine.layers();
  const driver = await engine.driver();
  const { upper, merged } = placesOf(engine, record.id);
  const lowers = store.lowerDirs(record.config.layers as readonly Digest[]);
  if (lstatSync(upper, { throwIfNoEntry: false }) === undefined) return store.add(archive(noMembers()));
  const changes = withoutMountPoints(driver.changes({ lowers, upper, merged }), upper, record.config);
  return store.add(archive(packChanges(upper, changes)));
}

async function addWholeTree(engine: Engine, record: ContainerRecord): Promise<AppliedLayer> {
  const store = await engine.layers();
  await using held = await holdRoot(engine, record);
  using root = new Root(held.path);
  const members = packTree(root.fd, Buffer.from('.'), Buffer.alloc(0), { keepXattr: (name) => name !== 'security.selinux' });
  return await store.add(archive(withInsideIds(members, record.config.idMap)));
}

type Members = ReturnType<typeof packTree>;

async function* noMembers(): Members {}

/** Where ids are shifted, the mounted tree shows those of lichen's own namespace; an image has the container's. */
async function* withInsideIds(members: Members, idMap: ContainerConfig['idMap']): Members {
  for await (const { entry, body } of members) {
    const [uid, gid] = [insideId(entry.uid, idMap?.uids), insideId(entry.gid, idMap?.gids)];
    yield { entry: { ...entry, uid, gid }, body };
  }
}

function insideId(id: number, ranges: readonly IdRange[] | undefined): number {
  const found = ranges?.find(({ hostId, size }) => id >= hostId && id < hostId + size);
  return found === undefined ? id : found.containerId + (id - found.hostId);
}

function archive(members: Members): Readable {
  return Readable.from(tarBytes(members), { objectMode: false, highWaterMark: 2 ** 20 });
}

/** Made by the runtime to mount something there; in an image they would only be in the way. */
const RUNTIME_PLACES = [
  '/dev',
  '/proc',
  '/sys',
  '/etc/hosts',
  '/etc/hostname',
  '/etc/resolv.conf',
  '/etc/localtime',
  '/run/.containerenv',
  '/run/secrets',
];

async function* withoutMountPoints(changes: AsyncIterable<Change>, upper: string, config: ContainerConfig): AsyncGenerator<Change, void> {
  const points = new Set([...RUNTIME_PLACES, ...config.mounts.map(({ target }) => target)]);
  for await (const change of changes) {
    if (change.kind === 'A' && points.has(change.path.toString()) && isEmpty(Buffer.concat([Buffer.from(upper), change.path]))) continue;
    yield change;
  }
}

function isEmpty(path: Buffer): boolean {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory()) return readdirSync(path).length === 0;
  return stat?.isFile() === true && stat.size === 0;
}
