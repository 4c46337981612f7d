/** The words of a command line with the flags that they are, so that some can be left out or changed and the others stay as they were typed. */
import type { FlagTable } from '../flag.ts';

/** One word, with the next one where that is its value. A cluster (`-dit`) is several flags. */
export interface TypedFlag {
  readonly words: readonly string[];
  readonly flags: readonly { readonly name: string; readonly value: string; readonly alone: readonly string[] }[];
}

export interface Typed {
  readonly flags: readonly TypedFlag[];
  /** From the first word on that is no flag; `--` is the first of them where it was typed. */
  readonly rest: readonly string[];
}

/** Of a command line that was parsed before: a word that is no flag of `table` is taken for one that is told by itself. */
export function typedFlags(table: FlagTable, words: readonly string[]): Typed {
  const flags: TypedFlag[] = [];
  let at = 0;
  for (;;) {
    const word = words[at];
    if (word === undefined || word === '--' || word.length < 2 || !word.startsWith('-')) return { flags, rest: words.slice(at) };
    const read = word.startsWith('--') ? readLong(table, word, words[at + 1]) : readCluster(table, word, words[at + 1]);
    flags.push(read);
    at += read.words.length;
  }
}

/** The last value that was typed for the flag. */
export function lastValue({ flags }: Typed, name: string): string | undefined {
  return flags
    .flatMap(({ flags: some }) => some)
    .filter((flag) => flag.name === name)
    .at(-1)?.value;
}

export function allValues({ flags }: Typed, name: string): readonly string[] {
  return flags.flatMap(({ flags: some }) => some.filter((flag) => flag.name === name).map(({ value }) => value));
}

/** The words without these flags. */
export function without(typed: readonly TypedFlag[], names: ReadonlySet<string>): readonly TypedFlag[] {
  return typed.flatMap((word) => {
    const kept = word.flags.filter(({ name }) => !names.has(name));
    return kept.length === word.flags.length ? [word] : kept.map((flag) => ({ words: flag.alone, flags: [flag] }));
  });
}

function readLong(table: FlagTable, word: string, next: string | undefined): TypedFlag {
  const equals = word.indexOf('=');
  const typedName = word.slice(2, equals < 0 ? undefined : equals);
  const name = Object.keys(table).find((key) => key === typedName || table[key]!.aliases?.includes(typedName)) ?? typedName;
  const bare = bareValue(table, name);
  if (equals >= 0) return one([word], name, word.slice(equals + 1));
  return bare === undefined ? one(next === undefined ? [word] : [word, next], name, next ?? '') : one([word], name, bare);
}

function readCluster(table: FlagTable, word: string, next: string | undefined): TypedFlag {
  const flags: { name: string; value: string; alone: readonly string[] }[] = [];
  for (let rest = word.slice(1); rest !== ''; rest = rest.slice(1)) {
    const letter = rest[0]!;
    const name = Object.keys(table).find((key) => table[key]!.short === letter) ?? letter;
    const bare = bareValue(table, name);
    if (rest.length > 2 && rest[1] === '=')
      return { words: [word], flags: [...flags, { name, value: rest.slice(2), alone: [`-${rest}`] }] };
    if (bare === undefined) {
      const own = rest.length > 1 || next === undefined;
      const value = own ? rest.slice(1) : next;
      return { words: own ? [word] : [word, next], flags: [...flags, { name, value, alone: own ? [`-${rest}`] : [`-${letter}`, next] }] };
    }
    flags.push({ name, value: bare, alone: [`-${letter}`] });
  }
  return { words: [word], flags };
}

function one(words: readonly string[], name: string, value: string): TypedFlag {
  return { words, flags: [{ name, value, alone: words }] };
}

/** Undefined: the flag wants a value. */
function bareValue(table: FlagTable, name: string): string | undefined {
  const flag = table[name];
  if (flag === undefined || flag.kind === 'bool') return 'true';
  return flag.bare ?? (flag.kind === 'count' ? '+1' : undefined);
}
