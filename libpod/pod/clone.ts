import { asId, type ContainerId, type PodId } from '../../core/id.ts';
import { randomHex } from '../../host/random.ts';
import { cloneConfig, freeCloneName } from '../container/clone.ts';
import { insertContainer, resolveWish } from '../container/create.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig, ContainerMount } from '../spec/container.ts';
import { invalid } from '../spec/parse/go.ts';
import type { ContainerWish } from '../spec/wish.ts';
import type { PodConfig } from '../state/pods.ts';
import { sysctlsFor, withMounts } from './adopt.ts';
import { podEvent } from './event.ts';
import { rounds } from './life.ts';
import { podTable } from './rows.ts';

export interface ClonePodOptions {
  /** Absent: that of the original with `-clone` behind it, and a number where that is taken. */
  readonly name?: string | undefined;
  readonly pod: Partial<Pick<PodConfig, 'hostname' | 'restart' | 'cgroupParent' | 'resources'>>;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the new infra container. */
  readonly infra: Partial<ContainerConfig>;
  /** Of its mounts and its user namespace the whole pod has those that it names; the infra container what it says of namespaces of PID and UTS. */
  readonly asked: ContainerWish;
  /** What the user should know and is no error: a line, shown as it is. */
  readonly tell: (line: string) => void;
}

/**
 * A pod at rest with clones of all containers of another one, made at once.
 * Throws NAME_IN_USE, NO_SUCH_IMAGE, NO_SUCH_CONTAINER (of --volumes-from), INVALID_ARGUMENT.
 */
export async function clonePod(engine: Engine, original: PodConfig, options: ClonePodOptions): Promise<PodConfig> {
  const table = podTable(engine);
  const nowMs = Date.now();
  // Each after those that it names.
  const members = rounds(engine, engine.containers.inPod(original.id)).flat();
  const ids = new Map(members.map(({ id }) => [id as string, asId<ContainerId>(randomHex(32))]));
  const infraId = original.infraId && ids.get(original.infraId);
  const { infraId: _infraId, ...settings } = original;
  const changes = await changesOf(engine, original, infraId, options);
  const pod: PodConfig = {
    ...settings,
    ...options.pod,
    id: asId<PodId>(randomHex(32)),
    name: options.name ?? freeCloneName(original.name, (name) => table.hasName(name)),
    createdAt: new Date(nowMs).toISOString(),
    createCommand: [],
    labels: { ...original.labels, ...options.labels },
    shared: changes.users === undefined ? original.shared : sharing(original.shared, changes.users),
    ...(infraId && { infraId }),
  };
  engine.db.transaction(() => {
    table.insert(pod, nowMs);
    engine.events.add(podEvent(pod, 'create'));
    for (const { id, config } of members) {
      const clone = cloneConfig(engine, config, { id: ids.get(id)!, nowMs });
      const isInfra = config.pod?.isInfra === true;
      const own = isInfra ? ofInfra(engine, clone, original, pod, options, changes) : ofMember(clone, infraId, changes);
      insertContainer(engine, { ...renamed(own, ids), pod: { ...config.pod, id: pod.id, name: pod.name } }, nowMs);
    }
  });
  return pod;
}

type Users = Pick<ContainerConfig, 'idMap'> & Pick<ContainerConfig['namespaces'], 'user'>;

interface Changes {
  readonly mounts: readonly ContainerMount[];
  /** Places of those that are instead of one of the original pod. */
  readonly replaced: readonly string[];
  /** Absent: as in the original. */
  readonly users: Users | undefined;
}

async function changesOf(
  engine: Engine,
  { name, infraId }: PodConfig,
  id: ContainerId | undefined,
  options: ClonePodOptions,
): Promise<Changes> {
  const { mounts, volumesFrom, idMap, subordinates, namespaces } = options.asked;
  const asksUsers = idMap !== undefined || subordinates !== undefined || namespaces.user !== undefined;
  if (mounts.length === 0 && volumesFrom === undefined && !asksUsers) return { mounts: [], replaced: [], users: undefined };
  if (id === undefined || infraId === undefined) {
    throw invalid(`cannot give volumes or a user namespace to a clone of pod ${name}, which has no infra container: invalid argument`);
  }
  const config = await resolveWish(engine, options.asked, undefined, { id, name, nowMs: Date.now(), volumesFrom: [], tell: options.tell });
  const users = { user: config.namespaces.user, ...(config.idMap && { idMap: config.idMap }) };
  const targets = new Set(engine.containers.get(infraId)?.config.mounts.map(({ target }) => target));
  const replaced = config.mounts.map(({ target }) => target).filter((target) => targets.has(target));
  return { mounts: config.mounts, replaced, users: asksUsers ? users : undefined };
}

function sharing(shared: PodConfig['shared'], { user, idMap }: Users): PodConfig['shared'] {
  const others = shared.filter((kind) => kind !== 'user');
  return idMap === undefined && user.kind === 'host' ? others : [...others, 'user' as const].toSorted();
}

/** Named after its pod unless it has been given a name. */
function ofInfra(
  engine: Engine,
  config: ContainerConfig,
  original: PodConfig,
  pod: PodConfig,
  { infra, labels, asked }: ClonePodOptions,
  { mounts, users }: Changes,
): ContainerConfig {
  const hostname = pod.hostname ?? (config.hostname === original.name ? pod.name : config.hostname);
  const { idMap, ...rest } = config;
  const { pid = rest.namespaces.pid, uts = rest.namespaces.uts } = asked.namespaces;
  const map = users === undefined ? idMap : users.idMap;
  const clone = {
    ...rest,
    ...(hostname === undefined ? {} : { hostname }),
    labels: { ...config.labels, ...labels },
    ...infra,
    namespaces: { ...rest.namespaces, pid, uts, ...(users && { user: users.user }) },
    mounts: withMounts(mounts, config.mounts),
    ...(map && { idMap: map }),
  };
  return users === undefined ? clone : { ...clone, sysctls: sysctlsFor(engine, clone) };
}

/** What it has at a place beside the pod stays there. */
function ofMember(config: ContainerConfig, infraId: ContainerId | undefined, { mounts, replaced, users }: Changes): ContainerConfig {
  const own = config.mounts.filter(({ target }) => !replaced.includes(target));
  const clone = { ...config, mounts: withMounts(own, mounts) };
  if (users === undefined || infraId === undefined) return clone;
  const { idMap: _idMap, ...rest } = clone;
  const user = joinedUsers(users, infraId);
  return { ...rest, namespaces: { ...config.namespaces, user }, ...(users.idMap && { idMap: users.idMap }) };
}

/** With ids of its own the infra container has the user namespace that owns the others. */
function joinedUsers({ user, idMap }: Users, infraId: ContainerId): ContainerConfig['namespaces']['user'] {
  return idMap === undefined ? user : { kind: 'container', container: infraId };
}

/** What names containers of the old pod names those of the new one. */
function renamed(config: ContainerConfig, ids: ReadonlyMap<string, ContainerId>): ContainerConfig {
  const swap = <T>(value: T): T =>
    (typeof value === 'string'
      ? (ids.get(value) ?? value)
      : Array.isArray(value)
        ? value.map(swap)
        : typeof value === 'object' && value !== null
          ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, swap(item)]))
          : value) as T;
  const { requires, annotations, namespaces, network } = config;
  return {
    ...config,
    ...(requires && { requires: swap(requires) }),
    annotations: swap(annotations),
    namespaces: swap(namespaces),
    network: { ...network, mode: swap(network.mode) },
  };
}
