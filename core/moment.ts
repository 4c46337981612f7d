/** Points in time as people type them and as logs hold them, in nanoseconds since the epoch. */
import { parseDurationMs } from './duration.ts';

const STAMP = /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:\d\d)?$/;
const UNIX = /^(-?\d+)(?:\.(\d{1,9}))?$/;

/**
 * What `--since` and `--until` take (Podman: util.ParseInputTime): seconds since the epoch, RFC 3339 or a shorter form of it in local time,
 * or a duration counted back from `nowMs` (or ahead). Undefined when it is none of these.
 */
export function parseMoment(text: string, nowMs: number, direction: 'back' | 'ahead'): bigint | undefined {
  const unix = UNIX.exec(text);
  if (unix) return BigInt(unix[1]!) * SECOND + fraction(unix[2]);
  const stamp = parseStamp(text);
  if (stamp !== undefined) return stamp;
  try {
    const durationMs = parseDurationMs(text);
    return BigInt(Math.round(nowMs + (direction === 'back' ? -durationMs : durationMs))) * MILLISECOND;
  } catch {
    return undefined;
  }
}

/** RFC 3339, with up to nine digits of a second; without time of day or zone it is local time. Undefined when malformed. */
export function parseStamp(text: string): bigint | undefined {
  const match = STAMP.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0)) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (month < 1 || month > 12 || day < 1 || day > daysOf(year, month) || hour > 23 || minute > 59 || second > 59) return undefined;
  const zone = match[8];
  const ms =
    zone === undefined
      ? new Date(year, month - 1, day, hour, minute, second).getTime()
      : Date.UTC(year, month - 1, day, hour, minute, second) - zoneOffsetMs(zone);
  return BigInt(ms) * MILLISECOND + fraction(match[7]);
}

/** RFC 3339 in UTC, the fraction without trailing zeros, as Go's RFC3339Nano has it. */
export function formatStamp(nanos: bigint): string {
  const ms = nanos / MILLISECOND;
  const seconds = new Date(Number(ms)).toISOString().slice(0, 19);
  const rest = (((nanos % SECOND) + SECOND) % SECOND).toString().padStart(9, '0').replace(/0+$/, '');
  return `${seconds}${rest === '' ? '' : `.${rest}`}Z`;
}

const SECOND = 1_000_000_000n;
const MILLISECOND = 1_000_000n;

function fraction(digits: string | undefined): bigint {
  return digits === undefined ? 0n : BigInt(digits.padEnd(9, '0'));
}

function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

function zoneOffsetMs(zone: string): number {
  if (zone === 'Z') return 0;
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6));
  return (zone.startsWith('-') ? -minutes : minutes) * 60_000;
}
