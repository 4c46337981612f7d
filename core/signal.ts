import { EngineError } from './errors.ts';

/** Linux signal numbers of the architectures we run on (x86-64 and arm64 agree; signal(7)). */
const NUMBERS: Readonly<Record<string, number>> = {
  HUP: 1,
  INT: 2,
  QUIT: 3,
  ILL: 4,
  TRAP: 5,
  ABRT: 6,
  BUS: 7,
  FPE: 8,
  KILL: 9,
  USR1: 10,
  SEGV: 11,
  USR2: 12,
  PIPE: 13,
  ALRM: 14,
  TERM: 15,
  STKFLT: 16,
  CHLD: 17,
  CONT: 18,
  STOP: 19,
  TSTP: 20,
  TTIN: 21,
  TTOU: 22,
  URG: 23,
  XCPU: 24,
  XFSZ: 25,
  VTALRM: 26,
  PROF: 27,
  WINCH: 28,
  IO: 29,
  PWR: 30,
  SYS: 31,
};
/** From 1 on, without a gap. */
const NAMES = Object.keys(NUMBERS);
const ALIASES: Readonly<Record<string, string>> = { IOT: 'ABRT', POLL: 'IO', CLD: 'CHLD', UNUSED: 'SYS' };
const RT_MIN = 34;
const RT_MAX = 64;

/** `TERM`, `SIGTERM`, `sigterm`, `15`, `RTMIN+3`, `RTMAX-2`. Throws INVALID_ARGUMENT with Podman's words. */
export function parseSignal(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : named(text.toUpperCase().replace(/^SIG/, ''));
  if (number === undefined || number < 1 || number > RT_MAX) throw new EngineError('INVALID_ARGUMENT', `invalid signal: ${text}`);
  return number;
}

/** `SIGTERM` for 15, `SIGRTMIN+3` for 37; the number itself where there is no name. */
export function signalName(number: number): string {
  const name = NAMES[number - 1];
  if (name !== undefined) return `SIG${name}`;
  if (number === RT_MIN) return 'SIGRTMIN';
  if (number > RT_MIN && number <= RT_MAX) return `SIGRTMIN+${number - RT_MIN}`;
  return String(number);
}

function named(name: string): number | undefined {
  const rt = /^RT(MIN|MAX)(?:([+-])(\d+))?$/.exec(name);
  if (rt) {
    const base = rt[1] === 'MIN' ? RT_MIN : RT_MAX;
    const number = base + (rt[2] === '-' ? -1 : 1) * Number(rt[3] ?? 0);
    return number >= RT_MIN && number <= RT_MAX ? number : undefined;
  }
  return NUMBERS[ALIASES[name] ?? name];
}
