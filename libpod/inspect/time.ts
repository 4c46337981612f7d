/** Go's time.Time that was never set. */
export const NEVER = '0001-01-01T00:00:00Z';

/** RFC 3339 in UTC, without trailing zeros in the fraction, as Go writes it. */
export function goTime(ms: number | undefined): string {
  return ms === undefined ? NEVER : new Date(ms).toISOString().replace(/\.?0*Z$/, 'Z');
}
