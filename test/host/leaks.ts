/** What a host must not hold any more when a test is over. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { JOURNALD } from './journal.ts';

/** The tail of a clean-up (a monitor's exit command, a network helper) may still be under way when the command line is back. */
const SETTLE_MS = 3000;

export interface LeakScope {
  /** A path of the host as this process can open it. */
  readonly path: (inside: string) => string;
  readonly store: string;
  readonly runDir: string;
  /** Pids (as the host counts) that belong to the host itself. */
  readonly own: ReadonlySet<number>;
  readonly processes: () => readonly HostProcess[];
}

export interface HostProcess {
  readonly pid: number;
  readonly state: string;
  readonly command: string;
  readonly cgroup: string;
}

/** One line for each leak, empty if there is none. Waits a little for things to settle before it complains. */
export async function findLeaks(scope: LeakScope, settleMs = SETTLE_MS): Promise<readonly string[]> {
  const deadline = performance.now() + settleMs;
  for (;;) {
    const leaks = [...leakedProcesses(scope), ...leakedMounts(scope), ...leakedFiles(scope)];
    if (leaks.length === 0 || performance.now() > deadline) return leaks;
    await delay(25);
  }
}

/** Every process of the host, by its own /proc. */
export function processesOf(path: LeakScope['path']): readonly HostProcess[] {
  return readdirSync(path('/proc'))
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(path(`/proc/${name}`), Number(name)));
}

function leakedProcesses({ path, own, runDir, processes }: LeakScope): readonly string[] {
  const pause = pausePid(path(runDir));
  return processes()
    .filter((process) => !own.has(process.pid) && process.pid !== pause && !isServiceManager(process) && !isJournal(process))
    .map(({ pid, state, command }) => `process ${pid}${state === 'Z' ? ' (zombie)' : ''}: ${command}`);
}

/** The process that keeps the user's namespaces may stay: it does nothing and belongs to the session, not to a container. */
function pausePid(runDir: string): number {
  return Number(readOptional(`${runDir}/pause`).split(' ')[0]);
}

function isServiceManager({ cgroup }: HostProcess): boolean {
  return /\/manager\/(init\.scope|(app|session)\.slice\/dbus\.)/.test(cgroup);
}

function isJournal({ command }: HostProcess): boolean {
  return command.startsWith(JOURNALD);
}

/** Mounts below the store are looked for in every mount namespace of the host, the pause process's above all. */
function leakedMounts({ path, store, runDir, processes }: LeakScope): readonly string[] {
  const mounts = processes().flatMap(({ pid }) => readOptional(path(`/proc/${pid}/mountinfo`)).split('\n'));
  const points = new Set(mounts.map((line) => line.split(' ')[4] ?? ''));
  return [...points].filter((point) => point.startsWith(`${store}/`) || point.startsWith(`${runDir}/`)).map((point) => `mount ${point}`);
}

function leakedFiles({ path, store, runDir }: LeakScope): readonly string[] {
  return [`${store}/tmp`, `${runDir}/netns`, `${runDir}/containers`]
    .filter((directory) => existsSync(path(directory)))
    .flatMap((directory) => readdirSync(path(directory)).map((name) => `file ${directory}/${name}`));
}

function readProcess(directory: string, pid: number): readonly HostProcess[] {
  const stat = readOptional(`${directory}/stat`);
  if (stat === '') return [];
  const state = stat.charAt(stat.lastIndexOf(')') + 2);
  const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
  const command = readOptional(`${directory}/cmdline`).replaceAll('\0', ' ').trim();
  return [{ pid, state, command: command === '' ? `[${name}]` : command, cgroup: readOptional(`${directory}/cgroup`) }];
}

/** Processes come and go while they are listed. */
function readOptional(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
