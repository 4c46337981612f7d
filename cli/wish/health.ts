/** From `--health-*` to what is wished. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { EngineError, isEngineError } from '../../core/errors.ts';
import { parseHealth } from '../../libpod/spec/parse/health.ts';
import type { HealthWords } from '../../libpod/spec/parse/health.ts';
import type { HealthWish } from '../../libpod/spec/wish.ts';
import type { WishFlags } from './assemble.ts';

/** Throws INVALID_ARGUMENT with Podman's words. A directory for the log must be there. */
export function healthWish(flags: WishFlags): HealthWish | undefined {
  const words = healthWords(flags);
  const wish = parseHealth(words);
  if (wish?.logDestination === undefined) return wish;
  try {
    return { ...wish, logDestination: checkedDestination(wish.logDestination) };
  } catch (error) {
    if (!isEngineError(error, 'INVALID_ARGUMENT')) throw error;
    throw new EngineError(error.code, `running container create option: ${error.message}`, { cause: error });
  }
}

/** What `update` is told. Throws INVALID_ARGUMENT. */
export function changedHealthWords(flags: HealthFlags): HealthWords {
  const words = healthWords(flags);
  return words.logDestination ? { ...words, logDestination: checkedDestination(words.logDestination) } : words;
}

type HealthFlags = Pick<WishFlags, Extract<keyof WishFlags, `health-${string}`> | 'no-healthcheck'>;

function healthWords(flags: HealthFlags): HealthWords {
  return {
    none: flags['no-healthcheck'],
    command: flags['health-cmd'],
    interval: flags['health-interval'],
    retries: flags['health-retries'],
    startPeriod: flags['health-start-period'],
    timeout: flags['health-timeout'],
    onFailure: flags['health-on-failure'],
    startupCommand: flags['health-startup-cmd'],
    startupInterval: flags['health-startup-interval'],
    startupRetries: flags['health-startup-retries'],
    startupSuccess: flags['health-startup-success'],
    startupTimeout: flags['health-startup-timeout'],
    logDestination: flags['health-log-destination'],
    maxLogCount: flags['health-max-log-count'],
    maxLogSize: flags['health-max-log-size'],
  };
}

function checkedDestination(destination: string): string {
  if (destination === 'local' || destination === 'events_logger') return destination;
  refuseDestination(destination);
  return resolve(destination);
}

function refuseDestination(path: string): void {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat?.isDirectory() === true) return;
  const what = stat === undefined ? `error: stat ${path}: no such file or directory` : 'must be directory';
  throw new EngineError('INVALID_ARGUMENT', `HealthCheck Log '${path}' destination ${what}`);
}
