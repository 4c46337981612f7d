/** From a wish to a container at rest: one row, and what it needs beside it. */
import { existsSync } from 'node:fs';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { asId, type ContainerId } from '../../core/id.ts';
import { availableIds, readIdMap } from '../../host/idmap.ts';
import { freePort } from '../../host/free-port.ts';
import { mountOptionsAt } from '../../host/mount.ts';
import { randomHex } from '../../host/random.ts';
import { hostRlimits } from '../../host/rlimit.ts';
import { findProgram } from '../../host/search.ts';
import { formatPlatform, hostPlatform } from '../../storage/platform.ts';
import { askedRuntime, type Engine } from '../engine.ts';
import { findImage, type FoundImage } from '../image/find.ts';
import type { ContainerConfig, ContainerMount, ContainerPod } from '../spec/container.ts';
import type { LockedFlag } from '../spec/mount-options.ts';
import { resolveContainer } from '../spec/resolve.ts';
import type { AskedSecrets } from '../secret/container.ts';
import type { ContainerWish, SecretWish } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { freeIds, neededIds } from './auto-ids.ts';
import { askedDevices, checkLimitedDevices } from './devices.ts';
import { containerEvent } from './event.ts';
import { canJoin, refuseUnlessJoining } from './joining.ts';
import { dropLockFile, lockContainer } from './lock.ts';
import { randomName } from './name.ts';
import { defaultNetworkMode } from './network.ts';
import { placesOf } from './places.ts';
import { readTimezone } from './timezone.ts';
import { isOutOfReach } from './traversal.ts';
import { EMBEDDED } from '../runtime/runtime.ts';
import type { FileLock } from '../../host/flock.ts';

export interface CreateOptions {
  /** Insert the row as `starting`, under the container's lock: a caller that is killed before the start is done leaves work that the next command undoes. */
  readonly starting: boolean;
  /** Chosen already; absent: a new one. */
  readonly id?: string | undefined;
  /** The pod that it is to be the infra container of. */
  readonly infraOf?: ContainerPod;
  /** Part of the transaction that makes the row, and before it. */
  readonly inserting?: () => void;
  /** What the user should know and is no error: a line, shown as it is. */
  readonly tell: (line: string) => void;
}

export interface CreatedContainer extends Disposable {
  readonly record: ContainerRecord;
}

/**
 * The image must be here already (see image/obtain.ts). Throws NAME_IN_USE, NO_SUCH_IMAGE, NO_SUCH_CONTAINER (of a namespace),
 * INVALID_* and what resolveContainer and joinPod throw. With `starting` the result holds the container's lock until disposed.
 */
export async function createContainer(engine: Engine, asked: ContainerWish, options: CreateOptions): Promise<CreatedContainer> {
  const joined = asked.pod === undefined ? undefined : (await import('../pod/join.ts')).joinPod(engine, asked, asked.pod);
  const wish = joined?.wish ?? asked;
  const pod = joined?.pod ?? options.infraOf;
  const found = wish.image === undefined ? undefined : await findImage(engine, wish.image);
  if (found) warnOfPlatform(found, options);
  const id = asId<ContainerId>(options.id ?? randomHex(32));
  const name = wish.name ?? randomName((candidate) => engine.db.get('SELECT 1 FROM containers WHERE name = ?', candidate) !== undefined);
  const nowMs = Date.now();
  const secrets = wish.secrets === undefined ? undefined : await lookUpSecrets(engine, wish.secrets);
  const requires = wish.requires?.filter((word) => word !== '').map((word) => requiredContainer(engine, word));
  // Nobody may remove a network between the look for it and the row that names it.
  using _networks = wish.network.mode?.kind === 'bridge' ? await (await import('../network/store.ts')).lockNetworks(engine) : undefined;
  const resolved = await resolveWish(engine, wish, found, {
    id,
    name,
    nowMs,
    volumesFrom: joined?.mounts ?? [],
    tell: options.tell,
    ...(pod === undefined ? {} : { pod }),
    ...(requires && requires.length > 0 ? { requires } : {}),
    ...(secrets === undefined ? {} : { secrets }),
  });
  const config = { ...resolved, runtime: await runtimeFor(engine, resolved) };
  refuseUnavailable(config);
  checkCgroupParent(engine, config);
  if (config.log.driver === 'journald') (await import('./log-tag.ts')).requireJournal();
  if (options.starting) await engine.monitor(config);
  const lock = options.starting ? await lockContainer(engine, id) : undefined;
  try {
    insert(engine, config, nowMs, options, secrets?.data ?? new Map());
  } catch (error) {
    if (lock) dropLockFile(engine, id);
    lock?.[Symbol.dispose]();
    throw error;
  }
  return created(engine, config, lock);
}

export interface ResolveOptions extends Pick<CreateOptions, 'tell'> {
  readonly id: ContainerId;
  readonly name: string;
  readonly nowMs: number;
  readonly pod?: ContainerPod;
  readonly requires?: readonly ContainerId[];
  readonly secrets?: AskedSecrets;
  /** Mounts that it has besides those of `--volumes-from`. */
  readonly volumesFrom: readonly ContainerMount[];
}

/** What a wish comes to on this machine; nothing is made of it. Throws what createContainer throws for what is asked. */
export async function resolveWish(
  engine: Engine,
  wish: ContainerWish,
  found: FoundImage | undefined,
  { id, name, nowMs, pod, requires, secrets, volumesFrom, tell }: ResolveOptions,
): Promise<ContainerConfig> {
  const idMap = wish.subordinates === undefined ? undefined : await subordinateMap(wish.subordinates);
  const joinedIds = idsJoined(engine, wish.namespaces.user);
  const config = resolveContainer(
    { ...(await withNetwork(engine, wish)), ...(idMap && { idMap }) },
    {
      id,
      name,
      createdAt: new Date(nowMs).toISOString(),
      ...imageFacts(found),
      rootless: engine.identity.rootless,
      caller: { uid: engine.identity.uid, gid: engine.identity.gid },
      availableIds: { uids: availableIds(readIdMap('uid')), gids: availableIds(readIdMap('gid')) },
      ...(await autoIds(engine, wish, found)),
      ...(joinedIds && { joinedIds }),
      hostEnv: hostEnv(engine),
      hostRlimits: hostRlimits(),
      logPath: placesOf(engine, id).log,
      ...(await initProgram(engine, wish)),
      ...(requires && { requires }),
      ...(pod && { pod }),
      ...(wish.envMerge === undefined ? {} : { expandWord: (await import('../spec/parse/word.ts')).expandWord }),
      ...(secrets && { secrets: secrets.secrets, secretEnv: secrets.secretEnv }),
      newVolumeName: () => randomHex(32),
      mountFlags,
      volumesFrom: [...volumesFrom, ...inheritedMounts(engine, wish.volumesFrom ?? [])],
      freePort,
      warn: tell,
    },
    engine.settings.defaults,
  );
  return sharingById(engine, config);
}

function idsJoined(engine: Engine, user: ContainerWish['namespaces']['user']): ContainerConfig['idMap'] {
  return user?.kind === 'container' ? engine.containers.get(findSharing(engine, 'user', user.container))?.config.idMap : undefined;
}

/** Whose namespaces it shares holds under any name that they will have. Throws NO_SUCH_CONTAINER, AMBIGUOUS_ID. */
function sharingById(engine: Engine, config: ContainerConfig): ContainerConfig {
  const known = <Mode extends object>(kind: string, mode: Mode): Mode =>
    'container' in mode ? { ...mode, container: findSharing(engine, kind, mode.container as string) } : mode;
  const { user, pid, ipc, uts, cgroup } = config.namespaces;
  return {
    ...config,
    namespaces: {
      user: known('user', user),
      pid: known('pid', pid),
      ipc: known('ipc', ipc),
      uts: known('uts', uts),
      cgroup: known('cgroup', cgroup),
    },
    network: { ...config.network, mode: known('net', config.network.mode) },
  };
}

/** A container at rest whose configuration is known already: a clone. Throws NAME_IN_USE, NO_SUCH_IMAGE. */
export function insertContainer(engine: Engine, config: ContainerConfig, nowMs: number): ContainerRecord {
  insert(engine, config, nowMs, { starting: false }, new Map());
  using made = created(engine, config, undefined);
  return made.record;
}

async function withNetwork(engine: Engine, wish: ContainerWish): Promise<ContainerWish> {
  const { mode, ports, publishAll } = wish.network;
  if (mode === undefined || mode.kind === 'private') {
    const chosen = defaultNetworkMode(engine, ports.length > 0 || publishAll === true);
    return { ...wish, network: { ...wish.network, mode: chosen } };
  }
  if (mode.kind !== 'bridge') return wish;
  const { wantedNetworks } = await import('../network/wanted.ts');
  return { ...wish, network: { ...wish.network, mode: wantedNetworks(engine, mode) } };
}

async function lookUpSecrets(engine: Engine, wishes: readonly SecretWish[]): Promise<AskedSecrets> {
  const { askedSecrets } = await import('../secret/container.ts');
  return askedSecrets(engine, wishes);
}

function insert(
  engine: Engine,
  config: ContainerConfig,
  nowMs: number,
  options: Pick<CreateOptions, 'starting' | 'inserting'>,
  secrets: ReadonlyMap<string, Buffer>,
): void {
  engine.db.transaction(() => {
    options.inserting?.();
    // Its layers go with the image: whoever removes it looks for containers in a transaction, too.
    if (config.imageId !== undefined && !engine.images.has(asId(config.imageId))) {
      throw new EngineError('NO_SUCH_IMAGE', `${config.imageName ?? config.imageId}: image not known`);
    }
    engine.containers.insert(config, options.starting ? 'starting' : 'configured', nowMs, dependencies(engine, config));
    for (const mount of config.mounts) {
      if (mount.type !== 'volume') continue;
      if (!engine.volumes.get(mount.name)) {
        engine.volumes.insert({
          name: mount.name,
          driver: 'local',
          anonymous: mount.anonymous,
          labels: {},
          options: {},
          createdMs: nowMs,
          needsCopyUp: true,
        });
        engine.events.add({ type: 'volume', status: 'create', id: mount.name, name: mount.name });
      }
      engine.volumes.use(mount.name, config.id);
    }
    for (const [secret, data] of secrets) engine.secrets.giveTo(config.id, secret, data);
    engine.events.add(containerEvent({ id: config.id, name: config.name, config }, 'create'));
  });
}

function created(engine: Engine, config: ContainerConfig, lock: FileLock | undefined): CreatedContainer {
  const record = engine.containers.get(config.id);
  if (!record) throw new Error(`container ${config.id} vanished`);
  return { record, [Symbol.dispose]: () => lock?.[Symbol.dispose]() };
}

function warnOfPlatform({ image: { config } }: FoundImage, { tell }: CreateOptions): void {
  const own = hostPlatform();
  if (config.os === own.os && config.architecture === own.architecture) return;
  tell(`WARNING: image platform (${formatPlatform(config)}) does not match the expected platform (${formatPlatform(own)})`);
}

/** What `--userns auto` asks about; without a size of its own it has as many ids as the image's accounts want. */
async function autoIds(engine: Engine, { namespaces, user }: ContainerWish, found: FoundImage | undefined) {
  const mode = namespaces.user;
  if (mode?.kind !== 'auto') return { idsNeeded: 0, freeIds: { uids: [], gids: [] } };
  const idsNeeded = mode.size === undefined ? await neededIds(engine, user, found?.image.layers ?? []) : 0;
  return { idsNeeded, freeIds: freeIds(engine) };
}

function imageFacts(found: FoundImage | undefined) {
  if (!found) return { layers: [] };
  const { image, name } = found;
  return {
    imageId: image.id,
    ...(name === undefined ? { imageName: image.names[0] ?? image.id } : { imageName: name }),
    ...(image.config.config === undefined ? {} : { imageConfig: image.config.config }),
    layers: image.layers,
  };
}

/** Containers that this one requires, or whose namespaces it joins; they are started before it and cannot be removed before it. */
function dependencies(engine: Engine, config: ContainerConfig): ContainerId[] {
  const modes = [...Object.values(config.namespaces), config.network.mode];
  const shared = modes.flatMap((mode) => ('container' in mode ? [engine.containers.find(mode.container).id] : []));
  return [...new Set([...shared, ...(config.requires ?? []).map((id) => asId<ContainerId>(id))])];
}

function requiredContainer(engine: Engine, word: string): ContainerId {
  try {
    return engine.containers.find(word).id;
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    const message = `${JSON.stringify(word)} is not a valid container, cannot be used as a dependency: ${error.message}`;
    throw new EngineError(error.code, message, { cause: error });
  }
}

async function subordinateMap(names: NonNullable<ContainerWish['subordinates']>): Promise<NonNullable<ContainerConfig['idMap']>> {
  const { subordinateIdMap } = await import('./subordinate.ts');
  return { uids: subordinateIdMap('uid', names.uids), gids: subordinateIdMap('gid', names.gids) };
}

function findSharing(engine: Engine, kind: string, container: string): ContainerId {
  try {
    return engine.containers.find(container).id;
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    throw new EngineError(error.code, `looking up container to share ${kind} namespace with: ${error.message}`, { cause: error });
  }
}

async function runtimeFor(engine: Engine, config: ContainerConfig): Promise<string> {
  const asked = askedRuntime(engine)?.name;
  if (asked !== undefined) {
    refuseUnlessJoining(engine, config, asked);
    return asked;
  }
  if (isOutOfReach(engine, config)) return EMBEDDED;
  const { name } = await engine.runtime();
  return canJoin(engine, config, name) ? name : EMBEDDED;
}

/** Throws INVALID_ARGUMENT. */
function checkCgroupParent({ cgroupManager }: Engine, { cgroupParent }: ContainerConfig): void {
  if (cgroupParent === undefined || cgroupParent.endsWith('.slice') === (cgroupManager === 'systemd')) return;
  const mismatch =
    cgroupManager === 'systemd'
      ? 'did not receive systemd slice as cgroup parent when using systemd to manage cgroups'
      : 'systemd slice received as cgroup parent when using cgroupfs';
  throw new EngineError('INVALID_ARGUMENT', `${mismatch}: invalid argument`);
}

function refuseUnavailable(config: ContainerConfig): void {
  refuseMissingNamespaces(config);
  if (config.initPath !== undefined && !existsSync(config.initPath)) {
    const message = `container-init binary not found on the host: faccessat ${config.initPath}: no such file or directory`;
    throw new EngineError('HELPER_MISSING', message);
  }
  if (config.timezone !== undefined) readTimezone(config.timezone);
  config.devices.forEach(askedDevices);
  checkLimitedDevices(config.resources);
}

const NAMESPACE_WORDS = { user: 'user', pid: 'PID', ipc: 'IPC', uts: 'UTS', cgroup: 'cgroup' } as const;

function refuseMissingNamespaces({ namespaces }: ContainerConfig): void {
  for (const kind of Object.keys(NAMESPACE_WORDS) as (keyof typeof NAMESPACE_WORDS)[]) {
    const mode = namespaces[kind];
    if (mode.kind !== 'path' || existsSync(mode.path)) continue;
    const what = `cannot find specified ${NAMESPACE_WORDS[kind]} namespace path`;
    throw new EngineError('INVALID_ARGUMENT', `${what}: faccessat ${mode.path}: no such file or directory`);
  }
}

const LOCKED: readonly LockedFlag[] = ['nosuid', 'nodev', 'noexec'];

/** Mount flags of the file system a bind comes from: a remount in a user namespace must keep them (mount_namespaces(7)). */
export function mountFlags(source: string): readonly LockedFlag[] {
  try {
    const options = mountOptionsAt(source);
    return LOCKED.filter((flag) => options.includes(flag));
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `statfs ${source}: no such file or directory`, { cause });
  }
}

function inheritedMounts(engine: Engine, wishes: readonly string[]): ContainerMount[] {
  return wishes.flatMap((wish) => {
    const colon = wish.indexOf(':');
    const options = colon === -1 ? [] : inheritedOptions(wish.slice(colon + 1));
    return volumesOwner(engine, colon === -1 ? wish : wish.slice(0, colon))
      .config.mounts.filter((mount) => mount.type === 'bind' || mount.type === 'volume')
      .map((mount) => ({
        ...mount,
        options: options.some((option) => option === 'ro' || option === 'rw')
          ? [...mount.options.filter((option) => option !== 'rw' && option !== 'ro'), ...options.filter((option) => option !== 'z')]
          : mount.options,
      }));
  });
}

function inheritedOptions(text: string): readonly string[] {
  const options = text.split(',');
  const odd = options.find((option) => !['z', 'ro', 'rw'].includes(option));
  if (odd !== undefined) {
    const message = `invalid option ${JSON.stringify(text)} specified - volumes from another container can only use z,ro,rw options`;
    throw new EngineError('INVALID_ARGUMENT', message);
  }
  if (options.filter((option) => option !== 'z').length > 1) {
    throw new EngineError('INVALID_ARGUMENT', 'cannot set ro or rw options more than once');
  }
  if (options.filter((option) => option === 'z').length > 1) {
    throw new EngineError('INVALID_ARGUMENT', 'cannot set :z more than once in mount options');
  }
  return options;
}

function volumesOwner(engine: Engine, name: string): ContainerRecord {
  try {
    return engine.containers.find(name);
  } catch (error) {
    if (!isEngineError(error, 'NO_SUCH_CONTAINER')) throw error;
    throw new EngineError(error.code, `looking up container ${JSON.stringify(name)} for volumes-from: ${error.message}`, { cause: error });
  }
}

/** Installed ones come first: they are what the container's command is used to. */
async function initProgram(engine: Engine, wish: ContainerWish): Promise<{ initPath?: string }> {
  const { init, initPath: configured } = engine.settings.defaults;
  if (!(wish.init ?? init) || (wish.initPath ?? configured) !== undefined) return {};
  const path =
    findProgram('catatonit', ['/usr/libexec/podman', '/usr/local/libexec/podman', '/usr/lib/podman']) ??
    findProgram('tini') ??
    findProgram('docker-init') ??
    (await (await import('../program/init.ts')).placeInitProgram(engine.paths.store));
  return path === undefined ? {} : { initPath: path };
}

function hostEnv(engine: Engine): Record<string, string> {
  return Object.fromEntries(Object.entries(engine.options.env).filter((entry): entry is [string, string] => entry[1] !== undefined));
}
