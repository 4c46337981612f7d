import { readFileSync } from 'node:fs';

let cached: string | undefined;

/** Changes with every boot (proc(5), /proc/sys/kernel/random/boot_id). */
export function bootId(): string {
  cached ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return cached;
}

let release: string | undefined;

/** As uname(2) tells it; `node:os` would too, and costs a millisecond to load. */
export function kernelRelease(): string {
  release ??= readFileSync('/proc/sys/kernel/osrelease', 'latin1').trim();
  return release;
}
