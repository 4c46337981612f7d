import { EngineError } from '../../core/errors.ts';
import type { ContainerId } from '../../core/id.ts';
import { log } from '../../core/log.ts';
import { signalName } from '../../core/signal.ts';
import { isAlive, signalProcess, waitForEnd } from '../../host/pid.ts';
import type { Engine } from '../engine.ts';
import type { HealthRecord } from '../health/check.ts';
import { LIVE, shownStatus, type ContainerRecord } from '../state/containers.ts';
import { giveUpReserve } from '../state/reserve.ts';
import { attend, finishRun } from './cleanup.ts';
import { containerEvent } from './event.ts';
import { lockAndRead } from './lock.ts';

const SIGKILL = 9;
/** A process in uninterruptible sleep does not even end on SIGKILL; then it is said, not waited for. */
const KILL_WAIT_MS = 10_000;

export interface StopOptions {
  /** Seconds between the stop signal and SIGKILL; 0 kills at once, absent: the container's own. */
  readonly timeoutSeconds?: number | undefined;
  /** The machine goes down: one that is to run unless somebody stops it starts again with the next boot. */
  readonly byService?: boolean;
  /** A container made with --rm stays: it is about to be started again. */
  readonly keepContainer?: boolean;
}

/**
 * Ask the container to stop, then force it.
 * Sends the stop signal, waits, then SIGKILL. Returns when the exit status is recorded and the clean-up done, so a following `remove` cannot race.
 * Idempotent: a container at rest is fine. Throws NO_SUCH_CONTAINER, WRONG_STATE. See podman-stop(1), runtime-spec runtime.md#kill.
 */
export async function stopContainer(engine: Engine, id: ContainerId, options: StopOptions = {}): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  if (!LIVE.includes(record.status)) return;
  await stopUnderLock(engine, record, options);
}

/** stopContainer for a caller that holds the lock; the status is one of LIVE. */
export async function stopUnderLock(engine: Engine, record: ContainerRecord, options: StopOptions): Promise<void> {
  using _attended = attend(engine, record.id);
  giveUpReserve(engine);
  const timeoutSeconds = options.timeoutSeconds ?? record.config.stopTimeoutSeconds;
  // One that a killed command was stopping keeps what that one meant.
  if (record.status !== 'stopping') {
    engine.db.transaction(() =>
      engine.containers.move(record.id, record.status, 'stopping', { stoppedByUser: options.byService !== true, ...resetHealth(record) }),
    );
  }
  // A frozen process takes no signal but SIGKILL's effect when it thaws.
  if (record.status === 'paused') await (await engine.runtime(record.config)).resume(record.id);
  await endProcess(engine, record, timeoutSeconds);
  await finishRun(engine, engine.containers.get(record.id) ?? record, { isStop: true, keepContainer: options.keepContainer === true });
}

/** As Podman: what was found unhealthy stays so. */
function resetHealth({ health }: ContainerRecord): { health?: HealthRecord } {
  return health === undefined || health.status === 'unhealthy' ? {} : { health: { ...health, status: 'reset', failingStreak: 0 } };
}

async function endProcess(engine: Engine, record: ContainerRecord, timeoutSeconds: number): Promise<void> {
  const { process, config } = record;
  if (!process || !isAlive(process)) return;
  if (timeoutSeconds > 0 && record.status !== 'initialized') {
    signalProcess(process, config.stopSignal);
    if (await waitForEnd(process, timeoutSeconds * 1000)) return;
    log.warn(
      `StopSignal ${signalName(config.stopSignal)} failed to stop container ${record.name} in ${timeoutSeconds} seconds, resorting to SIGKILL`,
    );
  }
  await killAll(engine, record);
  if (!(await waitForEnd(process, KILL_WAIT_MS))) {
    engine.containers.move(record.id, 'stopping', 'running');
    throw new EngineError('TIMEOUT', `container ${record.id} did not end on SIGKILL (process ${process.pid} is in the kernel)`);
  }
}

/** With a pid namespace of its own the end of pid 1 ends all; else every process is to be found through the cgroup. */
async function killAll(engine: Engine, record: ContainerRecord): Promise<void> {
  if (record.config.namespaces.pid.kind === 'private') {
    signalProcess(record.process!, SIGKILL);
    return;
  }
  await (await engine.runtime(record.config)).kill(record.id, SIGKILL, { all: true });
}

/** Send a signal to the container's first process. Throws WRONG_STATE when it does not run. */
export async function killContainer(engine: Engine, id: ContainerId, signal: number): Promise<void> {
  const record = engine.containers.get(id);
  if (!record) throw new EngineError('NO_SUCH_CONTAINER', `no container with name or ID "${id}" found: no such container`);
  if (!record.process || !LIVE.includes(record.status)) {
    throw new EngineError(
      'WRONG_STATE',
      `can only kill running containers. ${id} is in state ${shownStatus(record.status)}: container state improper`,
    );
  }
  engine.db.transaction(() => {
    if (signal === SIGKILL) engine.containers.change(id, { stoppedByUser: true });
    engine.events.add(containerEvent(record, 'kill'));
  });
  if (!signalProcess(record.process, signal)) {
    throw new EngineError('WRONG_STATE', `can only kill running containers. ${id} is in state stopped: container state improper`);
  }
}
