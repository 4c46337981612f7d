import { readFileSync } from 'node:fs';

let cached: string | undefined;

/** Changes with every boot (proc(5), /proc/sys/kernel/random/boot_id). */
export function bootId(): string {
  cached ??= readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  return cached;
}
