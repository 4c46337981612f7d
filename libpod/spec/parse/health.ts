/** `--health-*`: what is checked, how often, and what follows. Times are kept in nanoseconds, as images have them. */
import { parseDurationMs } from '../../../core/duration.ts';
import type { Healthcheck } from '../../../storage/image.ts';
import type { HealthWish, StartupCheck } from '../wish.ts';
import { invalid } from './go.ts';

/** The words of the flags; absent ones were not typed. */
export interface HealthWords {
  readonly none: boolean;
  readonly command?: string | undefined;
  readonly interval?: string | undefined;
  readonly retries?: number | undefined;
  readonly startPeriod?: string | undefined;
  readonly timeout?: string | undefined;
  readonly onFailure?: string | undefined;
  readonly startupCommand?: string | undefined;
  readonly startupInterval?: string | undefined;
  readonly startupRetries?: number | undefined;
  readonly startupSuccess?: number | undefined;
  readonly startupTimeout?: string | undefined;
  readonly logDestination?: string | undefined;
  readonly maxLogCount?: number | undefined;
  readonly maxLogSize?: number | undefined;
}

const ON_FAILURE = ['none', 'kill', 'restart', 'stop'] as const;
const NS_PER_MS = 1e6;
/** Podman's, where neither flag nor image says anything. */
const INTERVAL = '30s';
const TIMEOUT = '30s';
const RETRIES = 3;

/** Undefined where nothing was asked for. Throws INVALID_ARGUMENT with Podman's words. */
export function parseHealth(words: HealthWords): HealthWish | undefined {
  const { command, startupCommand } = words;
  if (words.none && command) throw invalid('cannot specify both --no-healthcheck and --health-cmd');
  const wish: HealthWish = {
    ...(words.none ? { check: { Test: ['NONE'] } } : command ? { check: parseCheck(command, words) } : {}),
    ...(startupCommand ? { startup: parseStartup(startupCommand, words) } : {}),
    ...(words.onFailure ? { onFailure: parseOnFailure(words.onFailure) } : {}),
    ...(words.logDestination ? { logDestination: words.logDestination } : {}),
    ...(words.maxLogCount === undefined ? {} : { maxLogCount: words.maxLogCount }),
    ...(words.maxLogSize === undefined ? {} : { maxLogSize: words.maxLogSize }),
  };
  return Object.keys(wish).length > 0 ? wish : undefined;
}

const CHECK_WORDS = ['command', 'interval', 'retries', 'startPeriod', 'timeout'] as const;
const STARTUP_WORDS = ['startupCommand', 'startupInterval', 'startupRetries', 'startupSuccess', 'startupTimeout'] as const;

export interface KeptHealth {
  readonly healthcheck?: Healthcheck | undefined;
  readonly health?: Omit<HealthWish, 'check'> | undefined;
}

export interface ChangedHealth extends KeptHealth {
  /** What is run, or how often: a running container's schedule begins anew. */
  readonly isNewCheck: boolean;
  readonly isNewStartup: boolean;
}

/** The words of an update laid over what a container has; what is not named stays. Throws INVALID_ARGUMENT with Podman's words. */
export function changeHealth(before: KeptHealth, words: HealthWords): ChangedHealth {
  const isNewCheck = CHECK_WORDS.some((word) => words[word] !== undefined);
  const isNewStartup = STARTUP_WORDS.some((word) => words[word] !== undefined);
  const {
    check: _check,
    startup: _startup,
    ...rest
  } = parseHealth({ ...words, none: false, command: undefined, startupCommand: undefined }) ?? {};
  if (words.none) {
    const others = isNewCheck || isNewStartup || Object.keys(rest).length > 0;
    if (others) throw invalid('cannot specify both --no-healthcheck and other HealthCheck flags');
    const { startup: _gone, ...kept } = before.health ?? {};
    return { health: kept, isNewCheck: true, isNewStartup: false };
  }
  const startup = isNewStartup ? changeStartup(before.health?.startup, words) : before.health?.startup;
  return {
    healthcheck: isNewCheck ? changeCheck(before.healthcheck, words) : before.healthcheck,
    health: { ...before.health, ...rest, ...(startup && { startup }) },
    isNewCheck,
    isNewStartup,
  };
}

function changeCheck(before: Healthcheck | undefined, words: HealthWords): Healthcheck {
  const { Interval, Timeout, Retries, StartPeriod, ...kept } = before ?? {};
  const test = changedTest(kept.Test, words.command);
  const period = words.startPeriod === undefined ? StartPeriod : parseStartPeriod(words.startPeriod);
  const interval = words.interval === undefined && Interval !== undefined ? Interval : parseInterval(words.interval ?? INTERVAL);
  const retries = words.retries ?? Retries ?? RETRIES;
  return {
    ...kept,
    Test: test,
    ...(period && { StartPeriod: period }),
    ...(interval !== 0 && { Interval: interval }),
    Timeout: words.timeout === undefined && Timeout ? Timeout : parseTimeout(words.timeout ?? TIMEOUT),
    ...(retries !== 0 && { Retries: retries }),
  };
}

function changeStartup(before: StartupCheck | undefined, words: HealthWords): StartupCheck {
  const { Interval, Timeout, Retries, Successes, ...kept } = before ?? {};
  const test = changedTest(kept.Test, words.startupCommand);
  const interval = words.startupInterval === undefined && before ? (Interval ?? 0) : parseInterval(words.startupInterval ?? INTERVAL);
  const retries = words.startupRetries ?? Retries;
  const successes = words.startupSuccess ?? Successes;
  return {
    ...kept,
    Test: test,
    ...(interval !== 0 && { Interval: interval }),
    Timeout: words.startupTimeout === undefined && Timeout ? Timeout : parseTimeout(words.startupTimeout ?? TIMEOUT),
    ...(retries && { Retries: retries }),
    ...(successes && { Successes: successes }),
  };
}

function changedTest(before: readonly string[] | undefined, command: string | undefined): readonly string[] {
  if (command) return parseTest(command);
  if (before === undefined || before.length === 0 || before[0] === 'NONE') throw invalid('startup healthcheck command is not set');
  return before;
}

function parseCheck(command: string, words: HealthWords): Healthcheck {
  const test = parseTest(command);
  const interval = parseInterval(words.interval ?? INTERVAL);
  const retries = words.retries ?? RETRIES;
  if (retries < 1) throw invalid('healthcheck-retries must be greater than 0');
  const timeout = parseTimeout(words.timeout ?? TIMEOUT);
  const startPeriod = parseStartPeriod(words.startPeriod ?? '0s');
  return {
    Test: test,
    ...(startPeriod > 0 && { StartPeriod: startPeriod }),
    ...(interval !== 0 && { Interval: interval }),
    Timeout: timeout,
    Retries: retries,
  };
}

function parseStartup(command: string, words: HealthWords): StartupCheck {
  const interval = parseInterval(words.startupInterval ?? INTERVAL);
  return {
    Test: parseTest(command),
    ...(interval !== 0 && { Interval: interval }),
    Timeout: parseTimeout(words.startupTimeout ?? TIMEOUT),
    ...(words.startupRetries ? { Retries: words.startupRetries } : {}),
    ...(words.startupSuccess ? { Successes: words.startupSuccess } : {}),
  };
}

/** A command for the shell, `none`, or a JSON array of words, which may begin with CMD or CMD-SHELL as in an image. */
function parseTest(text: string): readonly string[] {
  const words = parseArray(text);
  if (words === undefined) {
    const [first = '', ...rest] = text.split(' ');
    const keyword = first.toUpperCase();
    if (keyword === 'NONE') return ['NONE'];
    if (keyword === 'CMD') return ['CMD', ...rest.filter((word) => word !== '')];
    return ['CMD-SHELL', keyword === 'CMD-SHELL' ? rest.join(' ') : text];
  }
  const keyword = words[0]?.toUpperCase();
  if (keyword === undefined) throw invalid('must define a healthcheck command for all healthchecks');
  if (keyword === 'NONE') return ['NONE'];
  if (keyword === 'CMD' || keyword === 'CMD-SHELL') return [keyword, ...words.slice(1)];
  return words.length > 1 ? ['CMD', ...words] : ['CMD-SHELL', words[0]!];
}

function parseArray(text: string): readonly string[] | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return Array.isArray(parsed) && parsed.every((word) => typeof word === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}

/** `disable` and 0: only when asked. */
function parseInterval(text: string): number {
  return text === 'disable' ? 0 : nanoseconds('healthcheck-interval', text);
}

function parseTimeout(text: string): number {
  const timeout = nanoseconds('healthcheck-timeout', text);
  if (timeout < 1) throw invalid('healthcheck-timeout must be at least 1 second');
  return timeout;
}

function parseStartPeriod(text: string): number {
  const period = nanoseconds('healthcheck-start-period', text);
  if (period < 0) throw invalid('healthcheck-start-period must be 0 seconds or greater');
  return period;
}

function nanoseconds(name: string, text: string): number {
  try {
    return Math.round(parseDurationMs(text) * NS_PER_MS);
  } catch (error) {
    throw invalid(`invalid ${name}: ${(error as Error).message}`);
  }
}

function parseOnFailure(text: string): NonNullable<HealthWish['onFailure']> {
  const known = ON_FAILURE.find((action) => action === text);
  if (known === undefined) {
    throw invalid(`invalid on-failure action ${JSON.stringify(text)} for health check: supported actions are ${ON_FAILURE.join(',')}`);
  }
  return known;
}
