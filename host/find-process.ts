/** Processes told by what they were started with (proc(5), cmdline and environ). */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { identify, signalProcess, waitForEnd, type ProcessIdentity } from './pid.ts';

/**
 * Those with one of `words` within their arguments. Only those whose namespaces we may look at: what was started inside of ours, not the
 * editor of a user who has one of our files open outside.
 */
export function processesNaming(words: readonly string[]): ProcessIdentity[] {
  return others((directory) => {
    const command = readFileSync(`${directory}/cmdline`, 'latin1');
    return words.some((word) => command.includes(word)) && readlinkSync(`${directory}/ns/user`) !== '';
  });
}

const SIGKILL = 9;
/** A process that is being killed may just have started another. */
const ROUNDS = 20;
const END_TIMEOUT_MS = 5000;

/** Kill all that processesNaming finds. Resolves when they are gone. */
export async function endProcessesNaming(words: readonly string[]): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const found = processesNaming(words);
    if (found.length === 0) return;
    for (const one of found) signalProcess(one, SIGKILL);
    await Promise.all(found.map((one) => waitForEnd(one, END_TIMEOUT_MS)));
  }
}

/** Those with this `NAME=value` in their environment. */
export function processesMarked(entry: string): ProcessIdentity[] {
  return others((directory) => readFileSync(`${directory}/environ`, 'utf8').split('\0').includes(entry));
}

/** One that is gone, or that we may not read, matches nothing. */
function others(matches: (directory: string) => boolean): ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => {
      try {
        return matches(`/proc/${name}`) ? (identify(Number(name)) ?? []) : [];
      } catch {
        return [];
      }
    });
}
