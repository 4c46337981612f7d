/** Times as people read them: how long ago, and in their own time zone. */
import { humanDuration } from '../../core/duration.ts';
import { GoTime } from './template/time.ts';

/** `2 minutes ago`, `Less than a second ago`. */
export function formatAgo(thenMs: number, nowMs: number): string {
  return `${humanDuration(nowMs - thenMs)} ago`;
}

/** The time shown in the zone of the user (TZ). Text that is no RFC 3339 time gives Go's zero time. */
export function localTime(rfc3339: string): GoTime {
  const time = GoTime.parse(rfc3339);
  if (time === undefined) return GoTime.zero();
  const date = time.date();
  const offsetMinutes = -date.getTimezoneOffset();
  return offsetMinutes === 0 ? time.inUtc() : new GoTime(time.nanosSinceEpoch(), offsetMinutes, zoneName(date));
}

/** Seconds since 1970, rounded down as Podman stores them; Go's zero time where there is none. */
export function unixSeconds(rfc3339: string | undefined): number {
  const ms = rfc3339 === undefined ? Number.NaN : Date.parse(rfc3339);
  return Number.isNaN(ms) ? ZERO_TIME : Math.floor(ms / 1000);
}

const ZERO_TIME = Number(GoTime.zero().seconds);

const zoneNames = new Map<number, string>();

/** `CET`; empty where the zone has no letters of its own, then Go writes the offset. Asking Intl is slow, so once per offset. */
function zoneName(date: Date): string {
  const offset = date.getTimezoneOffset();
  const known = zoneNames.get(offset);
  if (known !== undefined) return known;
  const parts = new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' }).formatToParts(date);
  const text = parts.find((part) => part.type === 'timeZoneName')?.value ?? '';
  const name = /^[A-Z]+$/.test(text) ? text : '';
  zoneNames.set(offset, name);
  return name;
}
