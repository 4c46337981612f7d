/** `exec`: a further process in a running container. */
import { writeFileSync } from 'node:fs';
import { EngineError } from '../core/errors.ts';
import { Deputy } from '../host/deputy/deputy.ts';
import { O_PATH } from '../host/root.ts';
import { enterCgroup } from './cgroup/cgroup.ts';
import type { Process } from './config.ts';
import { currentStatus } from './operate.ts';
import { guard } from './set-up/credentials.ts';
import { AT_FDCWD, InnerRoot, O_CLOEXEC } from './set-up/inner-root.ts';
import { setOomScore } from './set-up/limits.ts';
import { joinNamespaces, maySetGroups, namespacesOf } from './set-up/namespaces.ts';
import { prepareProcess } from './set-up/process.ts';
import { keptConfig, lookUp, stateOf } from './store.ts';

export interface ExecRequest {
  readonly root: string;
  readonly id: string;
  readonly process: Process;
  /** What it has as its descriptors from 0 on: ours. */
  readonly fds: readonly (number | 'null')[];
  readonly pidFile: string | undefined;
  readonly consoleSocket: string | undefined;
}

export interface Executed {
  /** A child of ours. */
  readonly pid: number;
  /** The terminal's master, where there is no console socket to send it to; the caller's. */
  readonly master: number | undefined;
}

/** Back when the program runs. Throws NO_SUCH_CONTAINER, WRONG_STATE, and as `prepareProcess` does. */
export function execInContainer(request: ExecRequest): Executed {
  const { root: stateRoot, id, process } = request;
  const kept = lookUp(stateRoot, id);
  const status = currentStatus(stateRoot, kept);
  if (status === 'stopped') throw new EngineError('WRONG_STATE', `the container \`${id}\` is not running`);
  if (status === 'paused') throw new EngineError('WRONG_STATE', `the container \`${id}\` is paused`);
  const config = keptConfig(stateRoot, id);
  using deputy = Deputy.start({ fds: request.fds });
  if (kept.cgroup !== undefined) enterCgroup(kept.cgroup, deputy.pid);
  const mayGroups = maySetGroups(kept.pid);
  const wanted = namespacesOf(kept.pid);
  joinNamespaces(deputy, wanted);
  if (wanted.some(({ type }) => type === 'pid' || type === 'time')) deputy.fork(0);
  setOomScore(deputy.pid, process.oomScoreAdj);
  guard(deputy);
  const root = new InnerRoot(deputy, deputy.call('openat', [AT_FDCWD, '/', O_PATH | O_CLOEXEC, 0]));
  const ready = prepareProcess(root, {
    config,
    process,
    consoleSocket: request.consoleSocket,
    state: stateOf(kept, status),
    first: undefined,
    maySetGroups: mayGroups,
  });
  deputy.become(ready.program, ready.last, () => 'process');
  if (request.pidFile !== undefined) writeFileSync(request.pidFile, String(deputy.pid));
  return { pid: deputy.pid, master: ready.master };
}
