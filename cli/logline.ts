/** One line of talk on stderr, as Podman's logger (logrus) writes it: `time="…" level=warning msg="…"`; short and coloured on a terminal. */
import type { LogLevel } from '../core/log.ts';

const LEVEL_WORDS: Readonly<Record<LogLevel, string>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  error: 'error',
  fatal: 'fatal',
  panic: 'panic',
};
const COLOURS: Readonly<Record<LogLevel, number>> = { trace: 37, debug: 37, info: 36, warn: 33, error: 31, fatal: 31, panic: 31 };

export function logLine(level: LogLevel, message: string, now: Date): string {
  return `time="${localTime(now)}" level=${LEVEL_WORDS[level]} msg=${quoteValue(message)}`;
}

/** `secondsSinceStart` stands in brackets as logrus has it. */
export function terminalLogLine(level: LogLevel, message: string, secondsSinceStart: number): string {
  const word = LEVEL_WORDS[level].toUpperCase().slice(0, 4);
  return `\x1b[${COLOURS[level]}m${word}\x1b[0m[${String(Math.floor(secondsSinceStart)).padStart(4, '0')}] ${message.trimEnd()}`;
}

/** RFC 3339 with the local offset, `Z` for none. */
function localTime(now: Date): string {
  const offsetMinutes = -now.getTimezoneOffset();
  const text = new Date(now.getTime() + offsetMinutes * 60_000).toISOString().slice(0, 19);
  if (offsetMinutes === 0) return `${text}Z`;
  const minutes = Math.abs(offsetMinutes);
  return `${text}${offsetMinutes < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}

function quoteValue(text: string): string {
  return /^[\w./@^+-]+$/.test(text) ? text : JSON.stringify(text);
}

function twoDigits(number: number): string {
  return String(number).padStart(2, '0');
}
