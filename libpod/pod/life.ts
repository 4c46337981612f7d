/**
 * What is done to all containers of a pod: the infra container first, then those that need none of the others, each round at once. Ends go the
 * other way round.
 * A pod has no state of its own, so a verb that is killed has done a part of its work, and done again it does the rest.
 */
import { availableParallelism } from 'node:os';
import { mapConcurrent } from '../../core/concurrent.ts';
import { EngineError, orAbsent } from '../../core/errors.ts';
import { lockAndRead } from '../container/lock.ts';
import { pauseContainer, unpauseContainer } from '../container/pause.ts';
import { restartContainer } from '../container/restart.ts';
import { startUnderLock } from '../container/start.ts';
import { killContainer, stopContainer } from '../container/stop.ts';
import { waitForContainer } from '../container/wait.ts';
import type { Engine } from '../engine.ts';
import { type ContainerRecord, LIVE } from '../state/containers.ts';
import type { PodConfig } from '../state/pods.ts';
import { podEvent } from './event.ts';
import { startRounds } from './order.ts';
import { membersOf } from './rows.ts';

/** What went wrong with single containers; the others were seen to. */
export type PodFailures = readonly unknown[];

const WAIT_INTERVAL_MS = 50;

/** The infra container, then init containers one after the other to their ends, then the rest. Throws WRONG_STATE (an init container failed). */
export async function startPod(engine: Engine, pod: PodConfig, tell: (line: string) => void): Promise<PodFailures> {
  const members = await membersOf(engine, pod);
  refuseEmpty(pod, members);
  for (const record of members.filter(isInfra)) await startIfAtRest(engine, record, tell);
  for (const record of members.filter(isInit)) await runInit(engine, record, tell);
  const failures = await inRounds(engine, members.filter(isMember), (record) => startIfAtRest(engine, record, tell));
  engine.events.add(podEvent(pod, 'start'));
  return failures;
}

export interface StopPodOptions {
  readonly timeoutSeconds?: number | undefined;
  readonly byService?: boolean;
}

export async function stopPod(engine: Engine, pod: PodConfig, options: StopPodOptions): Promise<PodFailures> {
  const members = await membersOf(engine, pod);
  const stop = async ({ id }: ContainerRecord): Promise<void> => {
    // One made with --rm goes with its end, whoever brings that about.
    await orAbsent(() => stopContainer(engine, id, options), 'NO_SUCH_CONTAINER');
  };
  const failures = [
    ...(await backwards(
      engine,
      members.filter((record) => !isInfra(record)),
      stop,
    )),
    ...(await backwards(engine, members.filter(isInfra), stop)),
  ];
  engine.events.add(podEvent(pod, 'stop'));
  return failures;
}

/** Those that have ended as well as those that run. Init containers stay as they are. */
export async function restartPod(engine: Engine, pod: PodConfig): Promise<PodFailures> {
  const members = await membersOf(engine, pod);
  refuseEmpty(pod, members);
  const restart = async ({ id }: ContainerRecord): Promise<void> => {
    await restartContainer(engine, id, undefined);
  };
  for (const record of members.filter(isInfra)) await restart(record);
  const failures = await inRounds(engine, members.filter(isMember), restart);
  engine.events.add(podEvent(pod, 'restart'));
  return failures;
}

/** Of those that run. */
export async function killPod(engine: Engine, pod: PodConfig, signal: number): Promise<PodFailures> {
  const running = (await membersOf(engine, pod)).filter(({ status }) => LIVE.includes(status));
  const failures = await backwards(engine, running, async ({ id }) => {
    await orAbsent(() => killContainer(engine, id, signal), 'NO_SUCH_CONTAINER');
  });
  engine.events.add(podEvent(pod, 'kill'));
  return failures;
}

export async function pausePod(engine: Engine, pod: PodConfig): Promise<PodFailures> {
  const running = (await membersOf(engine, pod)).filter(({ status }) => status === 'running');
  const failures = await backwards(engine, running, ({ id }) => pauseContainer(engine, id));
  engine.events.add(podEvent(pod, 'pause'));
  return failures;
}

/** Undefined where nothing is paused. */
export async function unpausePod(engine: Engine, pod: PodConfig): Promise<PodFailures | undefined> {
  const paused = (await membersOf(engine, pod)).filter(({ status }) => status === 'paused');
  if (paused.length === 0) return undefined;
  const failures = await inRounds(engine, paused, ({ id }) => unpauseContainer(engine, id));
  engine.events.add(podEvent(pod, 'unpause'));
  return failures;
}

/** Throws NO_SUCH_CONTAINER. */
function refuseEmpty({ id }: PodConfig, members: readonly ContainerRecord[]): void {
  if (members.length > 0) return;
  throw new EngineError('NO_SUCH_CONTAINER', `no containers in pod ${id} have no dependencies, cannot start pod: no such container`);
}

export function isInfra({ config }: ContainerRecord): boolean {
  return config.pod?.isInfra === true;
}

function isInit({ config }: ContainerRecord): boolean {
  return config.pod?.init !== undefined;
}

function isMember(record: ContainerRecord): boolean {
  return !isInit(record) && !isInfra(record);
}

async function startIfAtRest(engine: Engine, { id }: Pick<ContainerRecord, 'id'>, tell: (line: string) => void): Promise<void> {
  const { lock, record } = await lockAndRead(engine, id);
  using _lock = lock;
  if (record.status !== 'running' && record.status !== 'paused') await startUnderLock(engine, record, { tell });
}

async function runInit(engine: Engine, { id, config }: ContainerRecord, tell: (line: string) => void): Promise<void> {
  await startIfAtRest(engine, { id }, tell);
  const exitCode = await waitForContainer(engine, id, ['stopped'], WAIT_INTERVAL_MS);
  if (exitCode !== 0) {
    throw new EngineError('WRONG_STATE', `init container ${id} exited with code ${exitCode}`, {
      hint: `See what it said: lichen logs ${config.name}`,
    });
  }
  if (config.pod?.init !== 'once') return;
  const { removeContainer } = await import('../container/remove.ts');
  await orAbsent(() => removeContainer(engine, id, { force: false, volumes: true }), 'NO_SUCH_CONTAINER');
}

type Work = (record: ContainerRecord) => Promise<void>;

function inRounds(engine: Engine, records: readonly ContainerRecord[], work: Work): Promise<unknown[]> {
  return eachRound(rounds(engine, records), work);
}

export function backwards(engine: Engine, records: readonly ContainerRecord[], work: Work): Promise<unknown[]> {
  return eachRound(rounds(engine, records).toReversed(), work);
}

/** Those of one round need none of the same and none of a later one. Throws INVALID_ARGUMENT for a cycle. */
export function rounds(engine: Engine, records: readonly ContainerRecord[]): ContainerRecord[][] {
  const needing = records.map((record) => ({ id: record.id, name: record.name, needs: engine.containers.dependencies(record.id), record }));
  return startRounds(needing).map((round) => round.map(({ record }) => record));
}

async function eachRound(all: readonly (readonly ContainerRecord[])[], work: Work): Promise<unknown[]> {
  const failures: unknown[] = [];
  for (const round of all) {
    await mapConcurrent(round, { limit: availableParallelism() * 3 + 1 }, async (record) => {
      try {
        await work(record);
      } catch (error) {
        failures.push(error);
      }
    });
  }
  return failures;
}
