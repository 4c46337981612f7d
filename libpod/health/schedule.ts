/**
 * Checks at their times: a few lines of shell that live beside the monitor, so that between two checks no Node waits.
 *
 * The monitor of the run inherits a lock on a file of that run. The loop waits for the lock with a limit: the limit passes, and a check is due;
 * or the lock is had, and then the monitor is gone, however it ended, and so is the loop. Nothing has to end it, and it cannot outlive the run.
 */
import { closeSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote, shellLine } from '../../core/shell.ts';
import { tryFlock } from '../../host/flock.ts';
import { launch } from '../../host/process.ts';
import type { ContainerPlaces } from '../container/places.ts';
import { type Engine, helperEnvironment } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { hasHealthcheck, intervalMs } from './check.ts';

/** What the loop takes for "time is up"; flock(1) has no such status of its own. */
const TIME_IS_UP = 123;

/** What the monitor of this run is to inherit. */
export function monitorLock(places: ContainerPlaces, runCount: number): Disposable & { readonly fd: number } {
  for (const name of readdirSync(places.run)) if (name.startsWith(LOCK)) rmSync(join(places.run, name), { force: true });
  const path = lockPath(places, runCount);
  const fd = openSync(path, 'w', 0o600);
  if (!tryFlock(fd, 'exclusive')) throw new Error(`somebody holds ${path}`);
  // The monitor has its own descriptor of the same open file: the lock lasts as long as one of them is open.
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Once the row says that the container runs. Nothing happens where nothing is to be checked by itself. */
export async function beginChecks(engine: Engine, record: ContainerRecord, places: ContainerPlaces, runCount: number): Promise<void> {
  const { healthcheck, healthFromImage, health } = record.config;
  if (healthcheck === undefined || !hasHealthcheck(record.config)) return;
  const regular = intervalMs(healthcheck, healthFromImage === true);
  const first = (health?.startup === undefined ? undefined : intervalMs(health.startup, false)) ?? regular;
  if (first === undefined) return;
  const script = join(places.run, 'health-loop');
  const lock = lockPath(places, runCount);
  writeFileSync(script, loop({ lock, first, regular, check: checkCommand(engine, record, runCount) }), { mode: 0o600 });
  const child = await launch('/bin/sh', [script], {
    stdio: ['ignore', 'ignore', 'ignore'],
    env: helperEnvironment(engine.options.env),
    detached: true,
  });
  child.unref();
}

function lockPath(places: ContainerPlaces, runCount: number): string {
  return join(places.run, `${LOCK}${runCount}`);
}

const LOCK = 'health-lock-';

function checkCommand(engine: Engine, { id }: ContainerRecord, runCount: number): readonly string[] {
  return [...engine.options.self, 'healthcheck', 'run', '--run', String(runCount), id];
}

interface LoopParts {
  readonly lock: string;
  readonly first: number;
  /** Undefined: after the startup checks only when asked. */
  readonly regular: number | undefined;
  readonly check: readonly string[];
}

/** A check that could not even be begun (a full disk) changes nothing: there will be another. */
function loop({ lock, first, regular, check }: LoopParts): string {
  return `every=${first / 1000}
while :; do
  ${shellLine(check)} </dev/null >/dev/null 2>&1
  case $? in
    ${STATUS.done}) ${regular === undefined ? 'exit 0' : `every=${regular / 1000}`} ;;
    ${STATUS.over}) exit 0 ;;
  esac
  flock -w "$every" -E ${TIME_IS_UP} ${quote(lock)} true
  [ $? -eq ${TIME_IS_UP} ] || exit 0
done
`;
}

/** Exit statuses of `healthcheck run --run`, for the loop alone; `startup`: startup checks are still going on, `over`: that run has ended. */
export const STATUS = { done: 0, startup: 4, over: 5 } as const;
