/**
 * Checks at their times: by a timer of systemd (timer.ts), or where there is none by a few lines of shell that live beside the monitor, so that between two checks no Node waits.
 *
 * The monitor of the run inherits a lock on a file of that run. The loop waits for the lock with a limit: the limit passes, and a check is due;
 * or the lock is had, and then the monitor is gone, however it ended, and so is the loop. Nothing has to end it, and it cannot outlive the run.
 * A monitor that was started without a check holds no lock: a loop that is begun later waits for its pid. A loop goes on only while its script is
 * there: a changed check has a script and a loop of its own.
 */
import { closeSync, existsSync, openSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { quote, shellLine } from '../../core/shell.ts';
import { randomHex } from '../../host/random.ts';
import { tryFlock } from '../../host/flock.ts';
import { launch } from '../../host/process.ts';
import type { ContainerPlaces } from '../container/places.ts';
import { type Engine, helperEnvironment } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { hasHealthcheck, intervalMs } from './check.ts';
import { type Schedule, STATUS } from './plan.ts';
import { beginTimer, endTimers } from './timer.ts';

/** What the loop takes for "time is up": timeout(1) says it, and flock(1) has no such status of its own. */
const TIME_IS_UP = 124;

/** What the monitor of this run is to inherit. */
export function monitorLock(places: ContainerPlaces, runCount: number): Disposable & { readonly fd: number } {
  removeNamed(places, LOCK);
  const path = lockPath(places, runCount);
  const fd = openSync(path, 'w', 0o600);
  if (!tryFlock(fd, 'exclusive')) throw new Error(`somebody holds ${path}`);
  // The monitor has its own descriptor of the same open file: the lock lasts as long as one of them is open.
  return { fd, [Symbol.dispose]: () => closeSync(fd) };
}

/** Once the row says that the container runs, in place of checks that were begun before. Nothing is begun where nothing is to be checked by itself. */
export async function beginChecks(engine: Engine, record: ContainerRecord, places: ContainerPlaces, runCount: number): Promise<void> {
  removeNamed(places, LOOP);
  await endTimers(engine, places);
  const { healthcheck, healthFromImage, health } = record.config;
  if (healthcheck === undefined || !hasHealthcheck(record.config)) return;
  const regular = intervalMs(healthcheck, healthFromImage === true);
  const startup = health?.startup === undefined ? undefined : intervalMs(health.startup, false);
  const first = startup ?? regular;
  if (first === undefined) return;
  const schedule = { isStartup: startup !== undefined, first, regular, check: checkCommand(engine, record, runCount) };
  if (await beginTimer(engine, record, places, schedule)) return;
  await beginLoop(engine, record, places, runCount, schedule);
}

/** As Podman, a timer ends with a pause and begins again after it; a loop goes on, and checks nothing meanwhile. */
export async function resumeChecks(engine: Engine, record: ContainerRecord, places: ContainerPlaces): Promise<void> {
  if (readdirSync(places.run).some((name) => name.startsWith(LOOP))) return;
  await beginChecks(engine, record, places, record.runCount);
}

async function beginLoop(
  engine: Engine,
  record: ContainerRecord,
  places: ContainerPlaces,
  runCount: number,
  schedule: Schedule,
): Promise<void> {
  const script = join(places.run, `${LOOP}${randomHex(4)}`);
  const wait = waitCommand(lockPath(places, runCount), record);
  writeFileSync(script, loop({ script, wait, ...schedule }), { mode: 0o600 });
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
const LOOP = 'health-loop-';

function removeNamed({ run }: ContainerPlaces, prefix: string): void {
  for (const name of readdirSync(run)) if (name.startsWith(prefix)) rmSync(join(run, name), { force: true });
}

/** Ends with TIME_IS_UP after `$every` seconds, and else when the monitor is gone. */
function waitCommand(lock: string, { monitor }: ContainerRecord): string {
  if (existsSync(lock)) return `flock -w "$every" -E ${TIME_IS_UP} ${quote(lock)} true`;
  return `timeout "$every" tail -f /dev/null --pid=${monitor?.pid ?? 0}`;
}

function checkCommand(engine: Engine, { id }: ContainerRecord, runCount: number): readonly string[] {
  return [...engine.options.self, 'healthcheck', 'run', '--run', String(runCount), id];
}

interface LoopParts extends Schedule {
  readonly script: string;
  readonly wait: string;
}

/** A check that could not even be begun (a full disk) changes nothing: there will be another. */
function loop({ script, wait, first, regular, check }: LoopParts): string {
  return `every=${first / 1000}
while :; do
  ${shellLine(check)} </dev/null >/dev/null 2>&1
  case $? in
    ${STATUS.done}) ${regular === undefined ? 'exit 0' : `every=${regular / 1000}`} ;;
    ${STATUS.over}) exit 0 ;;
  esac
  ${wait}
  [ $? -eq ${TIME_IS_UP} ] && [ -e ${quote(script)} ] || exit 0
done
`;
}
