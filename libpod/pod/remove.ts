import { EngineError, isEngineError, orAbsent } from '../../core/errors.ts';
import { removeContainer } from '../container/remove.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import type { PodConfig } from '../state/pods.ts';
import { removePodCgroup } from './cgroup.ts';
import { podEvent } from './event.ts';
import { backwards, isInfra, type PodFailures } from './life.ts';
import { membersOf, podTable } from './rows.ts';

export interface RemovePodOptions {
  /** Stop running containers first. */
  readonly force: boolean;
  readonly timeoutSeconds?: number | undefined;
}

/**
 * The containers, those that need others first and as many at once as can be, the infra container last, and the pod when all are gone. Killed on
 * the way it leaves a pod with fewer containers, which is removed like any other. Without `force` running containers stay, and the pod with
 * them: that is told by the failures, the first of them for the pod. An infra container that runs for nobody keeps nothing.
 */
export async function removePod(engine: Engine, pod: PodConfig, options: RemovePodOptions): Promise<PodFailures> {
  const members = await membersOf(engine, pod);
  const remove = async (record: ContainerRecord, force: boolean): Promise<void> => {
    try {
      await orAbsent(
        () => removeContainer(engine, record.id, { force, volumes: true, timeoutSeconds: options.timeoutSeconds, withPod: true }),
        'NO_SUCH_CONTAINER',
      );
    } catch (error) {
      throw ofPod(error, record, pod);
    }
  };
  const others = members.filter((record) => !isInfra(record));
  const failures = await backwards(engine, others, (record) => remove(record, options.force));
  const infra = members.find(isInfra);
  if (failures.length > 0) return [new EngineError('WRONG_STATE', left(pod)), ...(infra ? [needed(infra, pod)] : []), ...failures];
  if (infra) await remove(infra, true);
  await removePodCgroup(engine, pod);
  engine.db.transaction(() => {
    podTable(engine).remove(pod.id);
    engine.events.add(podEvent(pod, 'remove'));
  });
  return [];
}

function left({ id }: PodConfig): string {
  return `not all containers could be removed from pod ${id}: removing pod containers`;
}

function needed(infra: ContainerRecord, pod: PodConfig): unknown {
  const message = `a container that depends on container ${infra.id} could not be stopped: container state improper`;
  return ofPod(new EngineError('WRONG_STATE', message), infra, pod);
}

function ofPod(error: unknown, { id }: ContainerRecord, pod: PodConfig): unknown {
  if (!isEngineError(error)) return error;
  return new EngineError(error.code, `error removing container ${id} from pod ${pod.id}: ${error.message}`, { cause: error });
}
