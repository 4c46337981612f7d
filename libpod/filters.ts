/** `--filter key=value` of every list and prune: the words apart from what each of them means. */
import { EngineError } from '../core/errors.ts';
import { parseMoment } from '../core/moment.ts';

/** Values by key, in the order typed. A negated filter (`label!=x`) has its `!` in the key. */
export type Filters = ReadonlyMap<string, readonly string[]>;

/** Throws INVALID_ARGUMENT (a filter without `=`). */
export function splitFilters(texts: readonly string[]): Filters {
  const filters = new Map<string, string[]>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    if (equals < 0) throw new EngineError('INVALID_ARGUMENT', `invalid filter ${JSON.stringify(text)}`);
    const key = text.slice(0, equals);
    filters.set(key, [...(filters.get(key) ?? []), text.slice(equals + 1)]);
  }
  return filters;
}

/** What prunes say of a filter without `=`. Throws INVALID_ARGUMENT. */
export function refuseBareFilters(texts: readonly string[]): void {
  const bare = texts.find((text) => !text.includes('='));
  if (bare !== undefined) throw new EngineError('INVALID_ARGUMENT', `filter input must be in the form of filter=value: ${bare} is invalid`);
}

/** `key` or `key=value`; both may hold `*` as a wild card, as Podman's do. */
export function hasLabel(labels: Readonly<Record<string, string>>, wanted: string): boolean {
  const equals = wanted.indexOf('=');
  const key = equals < 0 ? wanted : wanted.slice(0, equals);
  const value = equals < 0 ? undefined : wanted.slice(equals + 1);
  if (!key.includes('*')) return Object.hasOwn(labels, key) && (value === undefined || labels[key] === value);
  const pattern = new RegExp(`^${key.split('*').map(escape).join('.*')}$`);
  return Object.entries(labels).some(([name, text]) => pattern.test(name) && (value === undefined || text === value));
}

/** The value of `until` in milliseconds since the epoch: what was made before it matches. Throws INVALID_ARGUMENT. */
export function untilMs(text: string, nowMs: number): number {
  const moment = parseMoment(text, nowMs, 'back');
  if (moment === undefined) throw new EngineError('INVALID_ARGUMENT', `failed to parse value as time or duration: ${JSON.stringify(text)}`);
  return Number(moment / 1_000_000n);
}

function escape(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}

/** What strconv.ParseBool takes. */
export const GO_BOOLS: Readonly<Record<string, boolean>> = {
  ...Object.fromEntries(['1', 't', 'T', 'TRUE', 'true', 'True'].map((text) => [text, true])),
  ...Object.fromEntries(['0', 'f', 'F', 'FALSE', 'false', 'False'].map((text) => [text, false])),
};
