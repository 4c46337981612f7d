/** Node's event loop for a process that waits in poll(2) itself: it hears of signals through the loop alone. */
import { readdirSync, readlinkSync } from 'node:fs';

/** Descriptors that become readable when the loop has something to do. */
export function loopDescriptors(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .filter((name) => targetOf(name) === 'anon_inode:[eventpoll]')
    .map(Number);
}

/** Let it do that. */
export function turnLoop(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

function targetOf(name: string): string | undefined {
  try {
    return readlinkSync(`/proc/self/fd/${name}`);
  } catch {
    // The descriptor of the directory that is read.
    return undefined;
  }
}
