/** From a wish to a pod at rest: its row and that of its infra container, at once. */
import { join } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import { asId, type ContainerId, type PodId, shortId } from '../../core/id.ts';
import { randomHex } from '../../host/random.ts';
import { createContainer } from '../container/create.ts';
import { randomName } from '../container/name.ts';
import { placesOf } from '../container/places.ts';
import type { Engine } from '../engine.ts';
import { checkName } from '../spec/conflicts.ts';
import { defined } from '../spec/defined.ts';
import type { ContainerWish, PodWish, SharedNamespace } from '../spec/wish.ts';
import type { PodConfig } from '../state/pods.ts';
import { podEvent } from './event.ts';
import { INFRA_PROGRAM } from './infra-root.ts';
import { podTable } from './rows.ts';

/** Throws NAME_IN_USE, INVALID_NAME, INVALID_ARGUMENT and what createContainer throws. The image of an infra container must be here already. */
export async function createPod(engine: Engine, wish: PodWish, tell: (line: string) => void): Promise<PodConfig> {
  const table = podTable(engine);
  const name = wish.name ?? randomName((candidate) => table.hasName(candidate));
  checkName(name, 'pod');
  if (wish.hostname !== undefined) checkName(wish.hostname, 'pod');
  const id = asId<PodId>(randomHex(32));
  const infraId = asId<ContainerId>(randomHex(32));
  const nowMs = Date.now();
  const pod: PodConfig = {
    id,
    name,
    createdAt: new Date(nowMs).toISOString(),
    createCommand: wish.createCommand,
    labels: wish.labels,
    exitPolicy: wish.exitPolicy,
    shared: wish.infra === undefined ? [] : sharedBy(wish, wish.infra),
    shareParent: wish.shareParent,
    resources: wish.resources,
    ...defined({
      hostname: wish.hostname,
      infraId: wish.infra && infraId,
      cgroupParent: wish.cgroupParent,
      restart: wish.restart,
    }),
  };
  const insert = (): void => {
    table.insert(pod, nowMs);
    engine.events.add(podEvent(pod, 'create'));
  };
  if (wish.infra === undefined) {
    engine.db.transaction(insert);
    return pod;
  }
  // Said before anything is made of it.
  if (table.hasName(name)) table.insert(pod, nowMs);
  const infra = infraWish(engine, pod, infraId, wish.infra);
  using _infra = await createContainer(engine, infra, {
    starting: false,
    id: infraId,
    infraOf: { id, name, isInfra: true },
    inserting: insert,
    tell,
  });
  return pod;
}

/** A pod whose user namespace is not that of lichen shares it, too. */
function sharedBy({ shared, shareParent }: PodWish, { namespaces, idMap }: ContainerWish): readonly SharedNamespace[] {
  if (shared.includes('cgroup') && shareParent) {
    const message =
      "cannot define the pod as the cgroup parent at the same time as joining the infra container's cgroupNS: invalid argument";
    throw new EngineError('INVALID_ARGUMENT', message);
  }
  const hasUsers = idMap !== undefined || (namespaces.user !== undefined && namespaces.user.kind !== 'host');
  return [...shared.filter((kind) => kind !== 'user'), ...(hasUsers ? (['user'] as const) : [])].toSorted();
}

function infraWish(engine: Engine, pod: PodConfig, id: ContainerId, asked: ContainerWish): ContainerWish {
  const named = { ...asked, name: asked.name ?? `${shortId(pod.id)}-infra` };
  const isOwnName = asked.namespaces.uts?.kind !== 'host';
  const wish = asked.hostname === undefined && isOwnName ? { ...named, hostname: pod.name } : named;
  if (wish.image !== undefined) return wish;
  return {
    ...wish,
    rootfs: { path: join(placesOf(engine, id).directory, 'rootfs'), overlay: false },
    entrypoint: asked.entrypoint ?? [INFRA_PROGRAM],
  };
}
