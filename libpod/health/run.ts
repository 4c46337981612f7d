/** One health check: run, recorded, told as an event, and acted upon. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatDuration } from '../../core/duration.ts';
import { EngineError } from '../../core/errors.ts';
import type { JsonObject } from '../../core/json.ts';
import { log } from '../../core/log.ts';
import { goTime } from '../inspect/time.ts';
import { containerEvent } from '../container/event.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { advance, dueCheck, freshHealth, HEALTH_DEFAULTS, outputLimit, type HealthLogEntry, type Verdict } from './check.ts';
import { probe } from './probe.ts';

export type CheckResult = 'healthy' | 'unhealthy' | 'starting';

/** What Podman writes as the exit status of a check that was cut off. */
const TIMED_OUT = 125;

/** `starting`: a startup check failed. Throws WRONG_STATE (it does not run, or has no check), TIMEOUT (the check was cut off; that is recorded). */
export async function runHealthcheck(engine: Engine, record: ContainerRecord): Promise<CheckResult> {
  if (record.status !== 'running') throw new EngineError('WRONG_STATE', `container ${record.id} is not running`);
  const check = dueCheck(record.config, record.health);
  if (check === undefined) throw new EngineError('WRONG_STATE', `container ${record.id} has no defined healthcheck`);
  const startMs = Date.now();
  const { ok, timedOut, output } = await probe(engine, record, check, outputLimit(record.config));
  const entry: HealthLogEntry = {
    start: goTime(startMs),
    end: goTime(Date.now()),
    exitCode: ok ? 0 : timedOut ? TIMED_OUT : 1,
    output,
  };
  const ageMs = Date.now() - (record.startedMs ?? startMs);
  const verdict = keep(engine, record, { isStartup: check.isStartup, ok, entry, ageMs });
  if (verdict !== undefined) {
    writeLog(record, verdict);
    await act(engine, record, verdict);
  }
  if (timedOut) throw new EngineError('TIMEOUT', `healthcheck command exceeded timeout of ${formatDuration(check.timeoutMs)}`);
  if (ok) return 'healthy';
  return check.isStartup ? 'starting' : 'unhealthy';
}

/** Undefined when that run of the container is over: its health is nobody's any more. */
function keep(engine: Engine, record: ContainerRecord, outcome: Parameters<typeof advance>[2]): Verdict | undefined {
  return engine.db.transaction(() => {
    const now = engine.containers.get(record.id);
    const before = now?.health ?? (now && freshHealth(now.config));
    if (now === undefined || before === undefined || now.runCount !== record.runCount || now.status !== 'running') return undefined;
    const verdict = advance(now.config, before, outcome);
    engine.containers.change(record.id, { health: verdict.health });
    const { status, failingStreak } = verdict.health;
    const isTold = now.config.health?.logDestination === 'events_logger';
    const told = isTold ? { log: JSON.stringify(logDocument(outcome.entry)) } : {};
    engine.events.add({ ...containerEvent(record, 'health_status'), health: { status, failingStreak, ...told } });
    return verdict;
  });
}

/** `--health-log-destination DIRECTORY`. One that cannot be written is told, the check counts all the same. */
function writeLog({ id, config }: ContainerRecord, { health }: Verdict): void {
  const destination = config.health?.logDestination ?? HEALTH_DEFAULTS.logDestination;
  if (!destination.startsWith('/')) return;
  const document = { Status: health.status, FailingStreak: health.failingStreak, Log: health.log.map(logDocument) };
  try {
    writeFileSync(join(destination, `${id}-healthcheck.log`), JSON.stringify(document), { mode: 0o600 });
  } catch (error) {
    log.warn(`the log of health checks cannot be written: ${(error as Error).message}`);
  }
}

function logDocument({ start, end, exitCode, output }: HealthLogEntry): JsonObject {
  return { Start: start, End: end, ExitCode: exitCode, Output: output };
}

async function act(engine: Engine, { id, config }: ContainerRecord, { turned }: Verdict): Promise<void> {
  if (turned === undefined) return;
  const action = turned === 'startup-failed' ? 'restart' : (config.health?.onFailure ?? 'none');
  switch (action) {
    case 'none':
      return;
    case 'kill': {
      const { killContainer } = await import('../container/stop.ts');
      return killContainer(engine, id, SIGKILL);
    }
    case 'stop': {
      const { stopContainer } = await import('../container/stop.ts');
      return stopContainer(engine, id, {});
    }
    case 'restart': {
      await restart(engine, id);
      const restarted = engine.containers.get(id);
      if (restarted) engine.containers.change(id, { restartCount: restarted.restartCount + 1 });
    }
  }
}

/** The container that is started outlives the check, and must not be of its cgroup. */
async function restart(engine: Engine, id: ContainerRecord['id']): Promise<void> {
  const { isWithinCheck, restartApart } = await import('./timer.ts');
  if (isWithinCheck(id)) return restartApart(engine, id);
  const { restartContainer } = await import('../container/restart.ts');
  await restartContainer(engine, id, undefined);
}

const SIGKILL = 9;
