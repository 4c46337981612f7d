/**
 * Checks at their times where the user's systemd can be reached: a transient timer for each run of a container, as Podman makes it.
 *
 * The names of a run's timers are in a file of the run before they are made, so that whoever ends the run can stop them. Where nobody does
 * (everything was killed at once), the next check finds its run over and stops its own timer. While startup checks go on there is a timer for
 * them; the check that is the last of them makes the one for the regular checks.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { readIfThere } from '../../host/if-there.ts';
import { log } from '../../core/log.ts';
import { quote, shellLine } from '../../core/shell.ts';
import { runHelper } from '../../host/process.ts';
import { randomHex } from '../../host/random.ts';
import { managerScope, systemctl, systemdRun } from '../../host/service-manager.ts';
import type { ContainerPlaces } from '../container/places.ts';
import { type Engine, helperEnvironment } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { type Schedule, STATUS } from './plan.ts';

/** False where that cannot be done, for whatever reason: then nothing is left of it. */
export async function beginTimer(engine: Engine, { id }: ContainerRecord, places: ContainerPlaces, schedule: Schedule): Promise<boolean> {
  const scope = managerScope(engine.identity, engine.options.env);
  if (scope === undefined) return false;
  const unit = `${id}-${schedule.isStartup ? 'startup-' : ''}${randomHex(8)}`;
  const then = schedule.isStartup && schedule.regular !== undefined ? `${id}-${randomHex(8)}` : undefined;
  const common = { scope, id, env: helperEnvironment(engine.options.env), check: schedule.check };
  const next = then === undefined ? undefined : timerWords({ ...common, unit: then, everyMs: schedule.regular!, isStartup: false });
  const words = timerWords({ ...common, unit, everyMs: schedule.first, isStartup: schedule.isStartup, next });
  writeFileSync(places.healthTimers, [unit, ...(then === undefined ? [] : [then])].join('\n'), { mode: 0o600 });
  try {
    await systemdRun(scope, words);
    await systemctl(scope, ['start', '--no-block', `${unit}.service`]);
    return true;
  } catch (error) {
    log.debug(() => `no timer for health checks, which go on without: ${(error as Error).message}`);
    await endTimers(engine, places);
    return false;
  }
}

/** Idempotent. A check that runs is left to its end. */
export async function endTimers(engine: Engine, places: ContainerPlaces): Promise<void> {
  const units = readNames(places);
  if (units.length === 0) return;
  const scope = managerScope(engine.identity, engine.options.env);
  if (scope !== undefined) {
    await systemctl(scope, ['stop', ...units.map((unit) => `${unit}.timer`)]).catch((error: unknown) =>
      // The one of startup checks is gone, or that of the others is not there yet.
      log.debug(() => (error as Error).message),
    );
  }
  rmSync(places.healthTimers, { force: true });
}

/** What this process starts ends with the check: its cgroup is that of a timer's service. */
export function isWithinCheck(id: string): boolean {
  const unit = new RegExp(String.raw`/${id}-(startup-)?[0-9a-f]+\.service$`, 'm');
  return unit.test(readFileSync('/proc/self/cgroup', 'latin1'));
}

/** Restart a container from within its check, in a scope of its own. Throws HELPER_FAILED. */
export async function restartApart(engine: Engine, id: string): Promise<void> {
  const scope = managerScope(engine.identity, engine.options.env) ?? [];
  await runHelper('systemd-run', [...scope, '--scope', '--quiet', '--collect', '--', ...engine.options.self, 'restart', id]);
}

function readNames({ healthTimers }: ContainerPlaces): readonly string[] {
  return (readIfThere(healthTimers) ?? '').split('\n').filter(Boolean);
}

interface TimerParts {
  readonly scope: readonly string[];
  readonly id: string;
  readonly unit: string;
  readonly everyMs: number;
  readonly isStartup: boolean;
  /** Words of systemd-run for the timer that follows startup checks. */
  readonly next?: readonly string[] | undefined;
  readonly check: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The first check is asked for; were we killed before, the timer would come to it by itself. Five starts in ten seconds are no failure here. */
function timerWords(parts: TimerParts): readonly string[] {
  const { id, unit, everyMs, env } = parts;
  return [
    `--unit=${unit}`,
    `--description=Health check of container ${id}`,
    `--on-active=${everyMs}ms`,
    `--on-unit-inactive=${everyMs}ms`,
    '--timer-property=AccuracySec=1s',
    '--property=StartLimitIntervalSec=0',
    '--property=LogLevelMax=notice',
    '--collect',
    ...Object.entries(env).map(([name, value]) => `--setenv=${name}=${value ?? ''}`),
    '--',
    '/bin/sh',
    '-c',
    // systemd takes $ for a variable of its own.
    script(parts).replaceAll('$', '$$$$'),
  ];
}

/** A lichen that is not there any more will never say that the run is over. */
function script({ scope, unit, isStartup, next, check }: TimerParts): string {
  const stop = `${shellLine(['systemctl', ...scope, '--quiet', 'stop'])} ${quote(`${unit}.timer`)}`;
  const begin = next === undefined ? '' : `${shellLine(['systemd-run', ...scope, '--quiet', ...next])}; `;
  return `${shellLine(check)} </dev/null >/dev/null 2>&1
case $? in
  ${isStartup ? `${STATUS.done}) ${begin}${stop} ;;\n  ` : ''}${STATUS.over}|126|127) ${stop} ;;
esac
exit 0
`;
}
