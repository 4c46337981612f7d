import { readdirSync, readFileSync } from 'node:fs';
import { identify, signalProcess, type ProcessIdentity } from './pid.ts';

const SIGKILL = 9;
const SIGSTOP = 19;

/**
 * Kill a process and all that descends from it. Each is stopped first: a stopped process starts no others, so none slips away meanwhile.
 * One whose parent had ended before is not found: it belongs to the init of its pid namespace by now.
 */
export function killTree(top: ProcessIdentity): void {
  const stopped = new Map<number, ProcessIdentity>();
  for (let found = [top]; found.length > 0; found = childrenOf(stopped)) {
    for (const process of found) {
      stopped.set(process.pid, process);
      signalProcess(process, SIGSTOP);
    }
  }
  for (const process of stopped.values()) signalProcess(process, SIGKILL);
}

/** Children of these that are not among them. */
function childrenOf(parents: ReadonlyMap<number, ProcessIdentity>): ProcessIdentity[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && !parents.has(Number(name)) && parents.has(parentOf(name)))
    .flatMap((name) => identify(Number(name)) ?? []);
}

/** proc(5) stat field 4; the name in field 2 may hold blanks and parentheses. */
function parentOf(pid: string): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return -1;
  }
}
