/** What is done to a container that was created: start, signals, pause, limits, the end (runtime-spec runtime.md#operations). */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import { Deputy } from '../host/deputy/deputy.ts';
import { isAlive, signalProcess, waitForEnd } from '../host/pid.ts';
import { freeze, isFrozen, killAll, processesIn, removeCgroup, setLimits } from './cgroup/cgroup.ts';
import type { Config, Resources } from './config.ts';
import { runHooksAnyway, runInnerHooks } from './hooks.ts';
import { joinNamespaces, namespacesOf } from './set-up/namespaces.ts';
import {
  containerDirectory,
  find,
  forget,
  keptConfig,
  lookUp,
  openGate,
  stateOf,
  statusOf,
  type Kept,
  type State,
  type Status,
} from './store.ts';

const SIGKILL = 9;
const END_TIMEOUT_MS = 10_000;

/** Throws NO_SUCH_CONTAINER, WRONG_STATE, HELPER_FAILED (a hook). */
export async function startContainer(root: string, id: string): Promise<void> {
  const kept = lookUp(root, id);
  const status = currentStatus(root, kept);
  if (status !== 'created') throw new EngineError('WRONG_STATE', `container \`${id}\` is not in created state (it is ${status})`);
  const config = keptConfig(root, id);
  if ((config.hooks?.startContainer ?? []).length > 0) await runStartHooks(config, kept);
  if (!openGate(containerDirectory(root, id))) throw new EngineError('WRONG_STATE', `container \`${id}\` was started already`);
  await runHooksAnyway(config, 'poststart', stateOf(kept, 'running'));
}

/** Throws NO_SUCH_CONTAINER, INVALID_NAME. */
export function containerState(root: string, id: string): State {
  const kept = lookUp(root, id);
  return stateOf(kept, currentStatus(root, kept));
}

export function currentStatus(root: string, kept: Kept): Status {
  return statusOf(root, kept, ({ cgroup }) => cgroup !== undefined && isFrozen(cgroup));
}

/** Signal its first process, or all. Throws NO_SUCH_CONTAINER, WRONG_STATE. */
export function killContainer(root: string, id: string, signal: number, options: { readonly all: boolean }): void {
  const kept = lookUp(root, id);
  if (options.all) {
    signalAll(kept, signal);
    return;
  }
  if (!signalProcess(kept, signal)) throw new EngineError('WRONG_STATE', `kill container \`${id}\`: No such process`);
}

/** Throws NO_SUCH_CONTAINER, WRONG_STATE, CGROUP_UNAVAILABLE. */
export async function pauseContainer(root: string, id: string): Promise<void> {
  const kept = lookUp(root, id);
  const status = currentStatus(root, kept);
  if (status !== 'running' && status !== 'created') throw new EngineError('WRONG_STATE', `container \`${id}\` is ${status}`);
  await freeze(cgroupOf(kept), true);
}

/** Throws NO_SUCH_CONTAINER, WRONG_STATE, CGROUP_UNAVAILABLE. */
export async function resumeContainer(root: string, id: string): Promise<void> {
  const kept = lookUp(root, id);
  const status = currentStatus(root, kept);
  if (status !== 'paused') throw new EngineError('WRONG_STATE', `container \`${id}\` is not paused (it is ${status})`);
  await freeze(cgroupOf(kept), false);
}

/** Throws NO_SUCH_CONTAINER, WRONG_STATE, CGROUP_UNAVAILABLE. */
export function updateContainer(root: string, id: string, resources: Resources): void {
  const kept = lookUp(root, id);
  if (!isAlive(kept)) throw new EngineError('WRONG_STATE', `container \`${id}\` is stopped`);
  setLimits(cgroupOf(kept), resources);
}

/** As this process sees them. Throws NO_SUCH_CONTAINER. */
export function containerProcesses(root: string, id: string): readonly number[] {
  const kept = lookUp(root, id);
  if (!isAlive(kept)) return [];
  return kept.cgroup === undefined ? [kept.pid] : processesIn(kept.cgroup);
}

/** `force`: end it first; an unknown id is fine then. Throws NO_SUCH_CONTAINER, WRONG_STATE, TIMEOUT. */
export async function deleteContainer(root: string, id: string, options: { readonly force: boolean }): Promise<void> {
  const kept = options.force ? find(root, id) : lookUp(root, id);
  if (kept === undefined) {
    forget(root, id);
    return;
  }
  const status = currentStatus(root, kept);
  if (status !== 'stopped' && status !== 'created' && !options.force)
    throw new EngineError('WRONG_STATE', `cannot delete container \`${id}\`: it is ${status}`);
  const config = keptConfig(root, id);
  await end(kept);
  forget(root, id);
  await runHooksAnyway(config, 'poststop', stateOf(kept, 'stopped'));
}

async function end(kept: Kept): Promise<void> {
  // What the first process has left behind, where the pid namespace is another's, lives on in the cgroup.
  if (isAlive(kept)) signalProcess(kept, SIGKILL);
  if (kept.cgroup !== undefined) signalAll(kept, SIGKILL);
  if (kept.cgroup !== undefined && isFrozen(kept.cgroup)) await freeze(kept.cgroup, false);
  if (!(await waitForEnd(kept, END_TIMEOUT_MS)))
    throw new EngineError('TIMEOUT', `process ${kept.pid} of container \`${kept.id}\` does not end`);
  if (kept.cgroup === undefined) return;
  for (let attempt = 0; attempt < 100 && processesIn(kept.cgroup).length > 0; attempt++) await sleep(10);
  await removeCgroup(kept.cgroup);
}

function signalAll(kept: Kept, signal: number): void {
  const { cgroup } = kept;
  if (cgroup === undefined) {
    signalProcess(kept, signal);
    return;
  }
  if (signal === SIGKILL && processesIn(cgroup).length > 0 && killAll(cgroup)) return;
  for (const pid of processesIn(cgroup)) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

function cgroupOf({ id, cgroup }: Kept): string {
  if (cgroup !== undefined) return cgroup;
  throw new EngineError('CGROUP_UNAVAILABLE', `container \`${id}\` has no cgroup of its own`);
}

/** In the container's namespaces, where a hook's path is looked up as well. */
async function runStartHooks(config: Config, kept: Kept): Promise<void> {
  using deputy = Deputy.start({ fds: ['null', 2, 2] });
  joinNamespaces(deputy, namespacesOf(kept.pid));
  deputy.fork(0);
  await runInnerHooks(deputy, config, 'startContainer', stateOf(kept, 'created'));
}
