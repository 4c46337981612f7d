/** Keys that become flags, one for one. A table says how many values a key has and how its flag is written. */
import type { Source } from './source.ts';

export interface FlagRules {
  /** `--flag VALUE`, the last value. */
  readonly text?: Readonly<Record<string, string>>;
  /** `--flag` or `--flag=false` */
  readonly bool?: Readonly<Record<string, string>>;
  /** `--flag VALUE` for each value, taken whole. */
  readonly values?: Readonly<Record<string, string>>;
  /** `--flag WORD` for each word of each value. */
  readonly words?: Readonly<Record<string, string>>;
  /** `--flag NAME=VALUE` for each name. */
  readonly pairs?: Readonly<Record<string, string>>;
}

/** Throws QuadletError. */
export function flagsOf(source: Source, rules: FlagRules): string[] {
  const flags: string[] = [];
  // Of dozens of keys a file has a few.
  const each = (table: Readonly<Record<string, string>> | undefined, make: (key: string, flag: string) => readonly string[]): void => {
    for (const key in table) if (source.has(key)) flags.push(...make(key, table[key]!));
  };
  each(rules.text, (key, flag) => pair(flag, source.text(key)));
  each(rules.bool, (key, flag) => boolFlag(flag, source.bool(key)));
  each(rules.values, (key, flag) => source.values(key).flatMap((value) => [flag, value]));
  each(rules.words, (key, flag) => source.words(key).flatMap((word) => [flag, word]));
  each(rules.pairs, (key, flag) => source.pairs(key).flatMap((word) => [flag, word]));
  return flags;
}

export function pair(flag: string, value: string | undefined): string[] {
  return value === undefined ? [] : [flag, value];
}

export function boolFlag(flag: string, value: boolean | undefined): string[] {
  return value === undefined ? [] : [value ? flag : `${flag}=false`];
}
