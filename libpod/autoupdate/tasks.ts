/** Which containers are to be updated: those that run, say so by a label, and were made by a service. */
import { EngineError } from '../../core/errors.ts';
import { isFullId } from '../../core/id.ts';
import type { Engine } from '../engine.ts';
import { SERVICE } from '../spec/service-label.ts';
import type { ContainerRecord } from '../state/containers.ts';

const POLICY = 'io.containers.autoupdate';
const AUTH_FILE = 'io.containers.autoupdate.authfile';

/** `local`: the image that the name means in this store. `registry`: the one that it means where it came from. */
export type Policy = 'local' | 'registry';
const POLICIES: Readonly<Record<string, Policy | undefined>> = {
  disabled: undefined,
  image: 'registry',
  local: 'local',
  registry: 'registry',
};

export interface Task {
  readonly record: ContainerRecord;
  readonly unit: string;
  readonly policy: Policy;
  readonly imageName: string;
  /** Of this container's image, instead of the caller's. */
  readonly authFile?: string;
}

export interface Tasks {
  readonly byUnit: ReadonlyMap<string, readonly Task[]>;
  /** One container that is not set up well keeps no other from its update. */
  readonly failures: readonly EngineError[];
}

export function findTasks(engine: Engine): Tasks {
  const byUnit = new Map<string, Task[]>();
  const failures: EngineError[] = [];
  for (const record of engine.containers.list().filter(({ status }) => status === 'running')) {
    try {
      const task = taskOf(record);
      if (task === undefined) continue;
      const others = byUnit.get(task.unit);
      if (others === undefined) byUnit.set(task.unit, [task]);
      else others.push(task);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      failures.push(
        new EngineError(error.code, `auto-updating container ${JSON.stringify(record.id)}: ${error.message}`, { cause: error }),
      );
    }
  }
  return { byUnit, failures };
}

function taskOf(record: ContainerRecord): Task | undefined {
  const { labels, imageName } = record.config;
  const label = labels[POLICY] ?? '';
  if (label === '') return undefined;
  if (!Object.hasOwn(POLICIES, label)) {
    const known = Object.keys(POLICIES).map((name) => JSON.stringify(name));
    throw invalid(`invalid auto-update policy ${JSON.stringify(label)}: valid policies are [${known.join(' ')}]`);
  }
  const policy = POLICIES[label];
  if (policy === undefined) return undefined;
  if (imageName === undefined || isFullId(imageName)) throw invalid('raw-image name is empty');
  const unit = labels[SERVICE];
  if (unit === undefined) throw invalid(`no ${SERVICE} label found`);
  const authFile = labels[AUTH_FILE];
  return { record, unit, policy, imageName, ...(authFile === undefined ? {} : { authFile }) };
}

function invalid(message: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', message);
}
