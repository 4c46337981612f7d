import { asId, type ContainerId, type PodId } from '../../core/id.ts';
import { randomHex } from '../../host/random.ts';
import { cloneConfig, freeCloneName } from '../container/clone.ts';
import { insertContainer } from '../container/create.ts';
import type { Engine } from '../engine.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { PodConfig } from '../state/pods.ts';
import { podEvent } from './event.ts';
import { podTable } from './rows.ts';

export interface ClonePodOptions {
  /** Absent: that of the original with `-clone` behind it, and a number where that is taken. */
  readonly name?: string | undefined;
  readonly pod: Partial<Pick<PodConfig, 'hostname' | 'restart' | 'cgroupParent' | 'resources'>>;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Of the new infra container. */
  readonly infra: Partial<ContainerConfig>;
}

/** A pod at rest with clones of all containers of another one, made at once. Throws NAME_IN_USE, NO_SUCH_IMAGE. */
export function clonePod(engine: Engine, original: PodConfig, options: ClonePodOptions): PodConfig {
  const table = podTable(engine);
  const nowMs = Date.now();
  const members = engine.containers.inPod(original.id);
  const ids = new Map(members.map(({ id }) => [id as string, asId<ContainerId>(randomHex(32))]));
  const infraId = original.infraId && ids.get(original.infraId);
  const { infraId: _infraId, ...settings } = original;
  const pod: PodConfig = {
    ...settings,
    ...options.pod,
    id: asId<PodId>(randomHex(32)),
    name: options.name ?? freeCloneName(original.name, (name) => table.hasName(name)),
    createdAt: new Date(nowMs).toISOString(),
    createCommand: [],
    labels: { ...original.labels, ...options.labels },
    ...(infraId && { infraId }),
  };
  engine.db.transaction(() => {
    table.insert(pod, nowMs);
    engine.events.add(podEvent(pod, 'create'));
    for (const { id, config } of members) {
      const clone = cloneConfig(engine, config, { id: ids.get(id)!, nowMs });
      const own = config.pod?.isInfra === true ? ofInfra(clone, original, pod, options) : clone;
      insertContainer(engine, { ...renamed(own, ids), pod: { ...config.pod, id: pod.id, name: pod.name } }, nowMs);
    }
  });
  return pod;
}

/** Named after its pod unless it has been given a name. */
function ofInfra(config: ContainerConfig, original: PodConfig, pod: PodConfig, { infra, labels }: ClonePodOptions): ContainerConfig {
  const hostname = pod.hostname ?? (config.hostname === original.name ? pod.name : config.hostname);
  return { ...config, ...(hostname === undefined ? {} : { hostname }), labels: { ...config.labels, ...labels }, ...infra };
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
