/** What proc(5) says of the processes of this machine. */
import { readdirSync, readFileSync } from 'node:fs';

/** Ids as the mount of /proc and our own user namespace show them. Times in milliseconds, sizes in KiB. */
export interface ProcessFacts {
  readonly pid: number;
  readonly ppid: number;
  /** The pid and the process group in each pid namespace from ours down to its own. */
  readonly namespacePids: readonly number[];
  readonly namespaceGroups: readonly number[];
  /** Real, effective, saved, file system. */
  readonly uids: readonly number[];
  readonly gids: readonly number[];
  readonly groups: readonly number[];
  readonly name: string;
  /** With blanks between its words and one at its end; empty for a zombie or a thread of the kernel. */
  readonly args: string;
  readonly state: string;
  /** `pts/0`; empty: none. */
  readonly terminal: string;
  readonly nice: number;
  readonly cpuMs: number;
  readonly elapsedMs: number;
  readonly virtualKib: number;
  readonly residentKib: number;
  /** Bit masks (capabilities(7)). */
  readonly capabilities: Readonly<Record<'inheritable' | 'permitted' | 'effective' | 'bounding' | 'ambient', bigint>>;
  readonly seccompMode: number;
  /** Of a security module; empty: none. */
  readonly label: string;
}

/** All there are now. Those that end meanwhile are left out. */
export function allProcesses(): ProcessFacts[] {
  const uptimeMs = Number(readFileSync('/proc/uptime', 'latin1').split(' ', 1)[0]) * 1000;
  return readdirSync('/proc').flatMap((name) => (/^\d+$/.test(name) ? (readProcess(Number(name), uptimeMs) ?? []) : []));
}

// Fields of /proc/PID/stat from the state on (proc_pid_stat(5), counted from 3 there).
const STATE = 0;
const PPID = 1;
const TERMINAL = 4;
const USER_TICKS = 11;
const SYSTEM_TICKS = 12;
const NICE = 16;
const START_TICKS = 19;

/** USER_HZ: 100 on every architecture we run on. */
const TICK_MS = 10;

function readProcess(pid: number, uptimeMs: number): ProcessFacts | undefined {
  try {
    const statText = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name stands in parentheses and may hold anything.
    const stat = statText.slice(statText.lastIndexOf(')') + 2).split(' ');
    const status = statusFields(readFileSync(`/proc/${pid}/status`, 'utf8'));
    const list = (key: string): number[] => numbers(status.get(key));
    return {
      pid,
      ppid: Number(stat[PPID]),
      namespacePids: list('NSpid'),
      namespaceGroups: list('NSpgid'),
      uids: list('Uid'),
      gids: list('Gid'),
      groups: list('Groups'),
      name: statText.slice(statText.indexOf('(') + 1, statText.lastIndexOf(')')),
      args: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '),
      state: stat[STATE] ?? '?',
      terminal: terminalName(Number(stat[TERMINAL])),
      nice: Number(stat[NICE]),
      cpuMs: (Number(stat[USER_TICKS]) + Number(stat[SYSTEM_TICKS])) * TICK_MS,
      elapsedMs: Math.max(0, uptimeMs - Number(stat[START_TICKS]) * TICK_MS),
      virtualKib: list('VmSize')[0] ?? 0,
      residentKib: list('VmRSS')[0] ?? 0,
      capabilities: {
        inheritable: mask(status.get('CapInh')),
        permitted: mask(status.get('CapPrm')),
        effective: mask(status.get('CapEff')),
        bounding: mask(status.get('CapBnd')),
        ambient: mask(status.get('CapAmb')),
      },
      seccompMode: list('Seccomp')[0] ?? 0,
      label: readLabel(pid),
    };
  } catch {
    return undefined;
  }
}

function statusFields(text: string): Map<string, string> {
  return new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]));
}

function numbers(text: string | undefined): number[] {
  return (text ?? '').split(/\s+/).flatMap((word) => (/^\d+$/.test(word) ? [Number(word)] : []));
}

function mask(text: string | undefined): bigint {
  return text !== undefined && /^[0-9a-f]+$/.test(text) ? BigInt(`0x${text}`) : 0n;
}

const PTS_MAJORS = { first: 136, last: 143 };
const TTY_MAJOR = 4;

/** From tty_nr: major in bits 8 to 15, minor in 31 to 20 and 7 to 0. */
function terminalName(number: number): string {
  const major = (number >> 8) & 0xff;
  const minor = (number & 0xff) | ((number >> 12) & 0xfff00);
  if (major >= PTS_MAJORS.first && major <= PTS_MAJORS.last) return `pts/${(major - PTS_MAJORS.first) * 256 + minor}`;
  return major === TTY_MAJOR ? `tty${minor}` : '';
}

function readLabel(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/attr/current`, 'utf8').replace(/[\n\0]+$/, '');
  } catch {
    return '';
  }
}
