/** Which check is due, and what its result makes of a container's health. Pure. */
import type { Healthcheck } from '../../storage/image.ts';
import type { ContainerConfig } from '../spec/container.ts';
import type { StartupCheck } from '../spec/wish.ts';

export interface HealthRecord {
  readonly status: 'starting' | 'healthy' | 'unhealthy' | 'reset';
  readonly failingStreak: number;
  /** The oldest first. */
  readonly log: readonly HealthLogEntry[];
  /** Of startup checks; absent where there are none, or they are over. */
  readonly startup?: { readonly successes: number; readonly failures: number };
}

export interface HealthLogEntry {
  /** RFC 3339 in UTC. */
  readonly start: string;
  readonly end: string;
  readonly exitCode: number;
  readonly output: string;
}

export interface DueCheck {
  readonly isStartup: boolean;
  /** What runs in the container. */
  readonly argv: readonly string[];
  readonly timeoutMs: number;
}

const NS_PER_MS = 1e6;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_RETRIES = 3;
const DEFAULT_LOG_COUNT = 5;
const DEFAULT_LOG_SIZE = 500;
/** However short an interval was asked for: each check starts processes. As Podman's timers, accurate to a second. */
const SHORTEST_INTERVAL_MS = 1000;
/** Of a check's output, where `--health-max-log-size 0` asks for all of it. */
export const OUTPUT_LIMIT_BYTES = 2 ** 20;

/** What is kept where nothing was said. */
export const HEALTH_DEFAULTS = {
  onFailure: 'none',
  logDestination: 'local',
  maxLogCount: DEFAULT_LOG_COUNT,
  maxLogSize: DEFAULT_LOG_SIZE,
} as const;

export function hasHealthcheck({ healthcheck }: Pick<ContainerConfig, 'healthcheck'>): boolean {
  return argvOf(healthcheck) !== undefined;
}

/** At the start of a run. */
export function freshHealth(config: ContainerConfig): HealthRecord | undefined {
  if (!hasHealthcheck(config)) return undefined;
  const startup = config.health?.startup === undefined ? {} : { startup: { successes: 0, failures: 0 } };
  return { status: 'starting', failingStreak: 0, log: [], ...startup };
}

/** Undefined where there is nothing to check. */
export function dueCheck(config: ContainerConfig, health: HealthRecord | undefined): DueCheck | undefined {
  const regular = argvOf(config.healthcheck);
  if (regular === undefined) return undefined;
  const startup = health?.startup === undefined ? undefined : config.health?.startup;
  const argv = argvOf(startup) ?? regular;
  const timeout = (startup ?? config.healthcheck)?.Timeout;
  return { isStartup: startup !== undefined, argv, timeoutMs: timeout ? timeout / NS_PER_MS : DEFAULT_TIMEOUT_MS };
}

/** Milliseconds between the checks; undefined: only when asked (`--health-interval disable`, or less than nothing). */
export function intervalMs(check: Healthcheck | StartupCheck, fromImage: boolean): number | undefined {
  const { Interval = 0 } = check;
  if (Interval > 0) return Math.max(Interval / NS_PER_MS, SHORTEST_INTERVAL_MS);
  return Interval === 0 && fromImage ? DEFAULT_INTERVAL_MS : undefined;
}

export interface CheckOutcome {
  readonly isStartup: boolean;
  readonly ok: boolean;
  readonly entry: HealthLogEntry;
  /** Milliseconds since the container was started. */
  readonly ageMs: number;
}

export interface Verdict {
  readonly health: HealthRecord;
  /** The container has just turned unhealthy, or its startup checks have failed too often. */
  readonly turned: 'unhealthy' | 'startup-failed' | undefined;
}

/** A failed startup check, or one within the start period, counts for nothing but the log. */
export function advance(config: ContainerConfig, before: HealthRecord, outcome: CheckOutcome): Verdict {
  const { isStartup, ok, ageMs } = outcome;
  const log = keptLog(config, [...before.log, outcome.entry]);
  const base = { ...before, log };
  if (isStartup) return afterStartupCheck(config, base, ok);
  if (ok) return { health: { ...base, status: 'healthy', failingStreak: 0 }, turned: undefined };
  const inStartPeriod = ageMs * NS_PER_MS < (config.healthcheck?.StartPeriod ?? 0);
  if (inStartPeriod) return { health: base, turned: undefined };
  const failingStreak = before.failingStreak + 1;
  const isUnhealthy = failingStreak >= (config.healthcheck?.Retries || DEFAULT_RETRIES);
  return {
    health: { ...base, failingStreak, status: isUnhealthy ? 'unhealthy' : base.status },
    turned: isUnhealthy && before.status !== 'unhealthy' ? 'unhealthy' : undefined,
  };
}

function afterStartupCheck(config: ContainerConfig, base: HealthRecord, ok: boolean): Verdict {
  const { successes, failures } = base.startup ?? { successes: 0, failures: 0 };
  if (ok) {
    const healthy = { ...base, status: 'healthy', failingStreak: 0 } as const;
    if (successes + 1 < (config.health?.startup?.Successes ?? 1)) {
      return { health: { ...healthy, startup: { successes: successes + 1, failures: 0 } }, turned: undefined };
    }
    const { startup: _over, ...rest } = healthy;
    return { health: rest, turned: undefined };
  }
  const retries = config.health?.startup?.Retries ?? 0;
  const health = { ...base, startup: { successes: 0, failures: failures + 1 } };
  return { health, turned: retries > 0 && failures + 1 >= retries ? 'startup-failed' : undefined };
}

function keptLog(config: ContainerConfig, log: readonly HealthLogEntry[]): readonly HealthLogEntry[] {
  const count = config.health?.maxLogCount ?? DEFAULT_LOG_COUNT;
  return count === 0 ? log : log.slice(-count);
}

export function outputLimit(config: ContainerConfig): number {
  const size = config.health?.maxLogSize ?? DEFAULT_LOG_SIZE;
  return size === 0 ? OUTPUT_LIMIT_BYTES : Math.min(size, OUTPUT_LIMIT_BYTES);
}

/** Undefined for none: `NONE`, or no words. */
function argvOf(check: Healthcheck | undefined): readonly string[] | undefined {
  const [keyword, ...words] = check?.Test ?? [];
  if (keyword === undefined || keyword === '' || keyword === 'NONE') return undefined;
  if (keyword === 'CMD') return words.length > 0 ? words : undefined;
  if (keyword === 'CMD-SHELL') return ['/bin/sh', '-c', words.join(' ')];
  return [keyword, ...words];
}
