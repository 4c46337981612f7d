/** Resource limits (config.md#posix-process). Only a privileged process may go above its own hard limit, so what is above is clamped. */
import type { StartFacts } from './container.ts';
import type { Ulimit } from './wish.ts';
import { RLIM_INFINITY, type OciRlimit, type RlimitValue } from './oci-types.ts';

/** By lower-case name without RLIMIT_; -1 (or Infinity) means unlimited. */
export type HostRlimits = StartFacts['hostRlimits'];

/** Podman gives containers more open files and processes than a login shell has, as far as the hard limit allows. */
const RAISED: readonly Ulimit[] = [
  { name: 'nofile', soft: 1_048_576, hard: 1_048_576 },
  { name: 'nproc', soft: 4_194_304, hard: 4_194_304 },
];

/** What was asked for, then the configured ones, then the raised ones; the first of a name holds; all within what the host allows. */
export function containerUlimits(asked: readonly Ulimit[], configured: readonly Ulimit[], host: HostRlimits): Ulimit[] {
  const byName = new Map<string, Ulimit>();
  for (const limit of [...asked, ...configured, ...RAISED]) {
    if (!byName.has(limit.name)) byName.set(limit.name, clamp(limit, host));
  }
  return [...byName.values()];
}

/** The limits of a start: clamped again, because the host's may have become lower since the container was made. */
export function rlimits(ulimits: readonly Ulimit[], host: HostRlimits, asHost: boolean): OciRlimit[] {
  const limits = asHost ? RAISED.flatMap(({ name }) => (host[name] ? [{ name, ...host[name] }] : [])) : ulimits;
  return limits.map((limit) => {
    const { soft, hard } = clamp(limit, host);
    return { type: rlimitType(limit.name), hard: value(hard), soft: value(soft) };
  });
}

export function rlimitType(name: string): string {
  return `RLIMIT_${name.toUpperCase()}`;
}

function clamp(limit: Ulimit, host: HostRlimits): Ulimit {
  const ceiling = host[limit.name]?.hard ?? -1;
  const hard = smaller(limit.hard, ceiling);
  return { name: limit.name, soft: smaller(limit.soft, hard), hard };
}

function smaller(a: number, b: number): number {
  if (isUnlimited(a)) return isUnlimited(b) ? -1 : b;
  return isUnlimited(b) ? a : Math.min(a, b);
}

function isUnlimited(limit: number): boolean {
  return limit < 0 || limit === Infinity;
}

function value(limit: number): RlimitValue {
  return isUnlimited(limit) ? RLIM_INFINITY : limit;
}
