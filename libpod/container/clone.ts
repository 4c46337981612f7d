import { asId, type ContainerId } from '../../core/id.ts';
import { randomHex } from '../../host/random.ts';
import type { Engine } from '../engine.ts';
import { adopt } from '../pod/adopt.ts';
import type { FoundImage } from '../image/find.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { Resources } from '../spec/wish.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { insertContainer } from './create.ts';
import { placesOf } from './places.ts';
import { mergedLimits } from './update.ts';

export interface CloneOptions {
  /** Absent: that of the original with `-clone` behind it, and a number where that is taken. */
  readonly name?: string | undefined;
  /** Instead of the original's; command and settings stay. */
  readonly image?: FoundImage | undefined;
  readonly resources: Resources;
  /** Name or id of the pod that it is to be in; absent: that of the original. */
  readonly pod?: string | undefined;
}

/** A container at rest with the configuration of another one; it shares its volumes and has nothing of what was written. Throws NAME_IN_USE, and with `pod` what adopt throws. */
export function cloneContainer(
  engine: Engine,
  { config: original }: ContainerRecord,
  { name, image, resources, pod: podName }: CloneOptions,
): ContainerRecord {
  const nowMs = Date.now();
  const same = cloneConfig(engine, original, { id: asId<ContainerId>(randomHex(32)), name, nowMs });
  const { pod, ...config } = podName === undefined ? same : adopt(engine, same, podName);
  const clone = {
    ...config,
    // There is one infra container in a pod.
    ...(pod === undefined || pod.isInfra === true ? {} : { pod }),
    ...(image === undefined
      ? {}
      : { imageId: image.image.id, imageName: image.name ?? image.image.names[0] ?? image.image.id, layers: image.image.layers }),
    resources: mergedLimits(config.resources, resources),
  };
  return insertContainer(engine, clone, nowMs);
}

/** The same under another id, with files of its own; without `name` under one that is free. */
export function cloneConfig(
  engine: Engine,
  original: ContainerConfig,
  { id, name, nowMs }: { readonly id: ContainerId; readonly name?: string | undefined; readonly nowMs: number },
): ContainerConfig {
  const config = withoutIdFile(original);
  const moved = config.log.path.replace(config.id, id);
  const isInPlace = moved !== config.log.path || config.log.driver === 'journald';
  return {
    ...config,
    id,
    name: name ?? freeCloneName(config.name, (candidate) => engine.containers.ownerOf(candidate) !== undefined),
    createdAt: new Date(nowMs).toISOString(),
    log: { ...config.log, path: isInPlace ? moved : placesOf(engine, id).log },
    ...(config.rootfs && { rootfs: { ...config.rootfs, path: config.rootfs.path.replace(config.id, id) } }),
  };
}

/** The file names the original. */
function withoutIdFile(config: ContainerConfig): ContainerConfig {
  const { idFile, ...rest } = config;
  if (idFile === undefined) return config;
  const annotations = Object.entries(config.annotations).filter(([key]) => key !== 'io.podman.annotations.cid-file');
  return { ...rest, annotations: Object.fromEntries(annotations) };
}

export function freeCloneName(name: string, isTaken: (name: string) => boolean): string {
  for (let number = 0; ; number++) {
    const candidate = number === 0 ? `${name}-clone` : `${name}-clone${number}`;
    if (!isTaken(candidate)) return candidate;
  }
}
