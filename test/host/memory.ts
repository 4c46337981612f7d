import { readFileSync } from 'node:fs';

/** The most memory that a process has had so far (VmHWM), in MiB; 0 for one that is gone. `directory`: its own in /proc, of the machine or a host. */
export function peakMemoryMib(directory: string): number {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync(`${directory}/status`, 'latin1'))?.[1] ?? 0) / 1024;
  } catch {
    return 0;
  }
}
