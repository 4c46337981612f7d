/** Limits on a container: `--ulimit`, `--memory*`, `--cpus`, `--pids-limit` … */
import { parseSizeBytes } from '../../../core/size.ts';
import type { Ulimit } from '../wish.ts';
import { invalid, parseInt64 } from './go.ts';

/** Names of getrlimit(2), lower case, without RLIMIT_. */
const ULIMIT_NAMES: ReadonlySet<string> = new Set(
  'as core cpu data fsize locks memlock msgqueue nice nofile nproc rss rtprio rttime sigpending stack'.split(' '),
);

/** `name=soft[:hard]`, -1 for unlimited. Throws INVALID_ARGUMENT with docker/go-units' words. */
export function parseUlimit(text: string): Ulimit {
  try {
    return readUlimit(text);
  } catch (error) {
    throw invalid(`ulimit option ${JSON.stringify(text)} requires name=SOFT:HARD, failed to be parsed: ${(error as Error).message}`);
  }
}

function readUlimit(text: string): Ulimit {
  const equals = text.indexOf('=');
  if (equals < 0) throw invalid(`invalid ulimit argument: ${text}`);
  const name = text
    .slice(0, equals)
    .toLowerCase()
    .replace(/^rlimit_/, '');
  if (!ULIMIT_NAMES.has(name)) throw invalid(`invalid ulimit type: ${text.slice(0, equals)}`);
  const values = text.slice(equals + 1).split(':');
  if (values.length > 2) throw invalid(`too many limit value arguments - ${values.join(':')}, can only have up to two, \`soft[:hard]\``);
  const hard = values[1] === undefined ? undefined : parseInt64(values[1]);
  const soft = parseInt64(values[0]!);
  if (hard === undefined) return { name, soft, hard: soft };
  if (hard !== -1 && soft > hard) throw invalid(`ulimit soft limit must be less than or equal to hard limit: ${soft} > ${hard}`);
  if (hard !== -1 && soft === -1)
    throw invalid(`ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: ${hard}`);
  return { name, soft, hard };
}

/** A size of `--memory` and its kin; the flag's name goes into the error. */
export function parseLimitBytes(text: string, flag: string): number {
  return named(`invalid value for ${flag}`, () => parseSizeBytes(text));
}

export function parseMemorySwap(text: string): number {
  return text === '-1' ? -1 : parseLimitBytes(text, 'memory-swap');
}

export function parseShmSize(text: string): number {
  return named('unable to translate --shm-size', () => parseSizeBytes(text));
}

/** 0: half of the memory, as a tmpfs without a size. */
export function parseSystemdTmpfsSize(text: string): number {
  return named('unable to translate --shm-size-systemd', () => parseSizeBytes(text));
}

function named<T>(prefix: string, parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    throw invalid(`${prefix}: ${(error as Error).message}`);
  }
}
