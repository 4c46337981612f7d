/**
 * Turns argv into flag values and positionals as pflag does (github.com/spf13/pflag flag.go), from a declarative table.
 * `-p80:80`, `-itv /a:/b`, `-e=A=b`, `--flag=value`, `--flag value`, `--bool=false`; `--` ends the flags.
 */
import { nearest } from '../core/edit-distance.ts';
import { EngineError } from '../core/errors.ts';
import type { Flag, FlagTable, FlagValue } from './flag.ts';
import { parseFlagValue } from './value.ts';

export interface SplitOptions {
  /** False: parsing stops at the first positional (`run IMAGE …`). */
  readonly interspersed: boolean;
  /** `lichen container stop`, for the hint. */
  readonly path: string;
}

export interface Split {
  readonly values: Readonly<Record<string, FlagValue>>;
  /** Long names of the flags that were typed. */
  readonly given: ReadonlySet<string>;
  readonly positionals: readonly string[];
  /** `--help` was typed, or `-h` where the table has no such flag. */
  readonly help: boolean;
}

/** Throws USAGE with pflag's words; the hint names the command's help. */
export function splitArguments(table: FlagTable, argv: readonly string[], options: SplitOptions): Split {
  const index = indexTable(table);
  const values: Record<string, FlagValue> = {};
  const given = new Set<string>();
  const positionals: string[] = [];
  let at = 0;
  let help = false;

  while (at < argv.length) {
    const word = argv[at++]!;
    if (word === '--') break;
    if (word.length < 2 || word[0] !== '-') {
      positionals.push(word);
      if (!options.interspersed) break;
    } else if (word[1] === '-') takeLong(word);
    else if (!takeShorts(word.slice(1))) return { values: withDefaults(table, values), given, positionals, help: true };
  }
  positionals.push(...argv.slice(at));
  return { values: withDefaults(table, values), given, positionals, help };

  function takeLong(word: string): void {
    const name = word.slice(2).split('=', 1)[0]!;
    if (name === '' || name.startsWith('-')) throw usage(`bad flag syntax: ${word}`);
    const found = index.long.get(name);
    if (found === undefined) {
      if (name !== 'help') throw usage(`unknown flag: --${name}`, { near: nearFlag(table, name) });
      help = true;
      return;
    }
    const equals = word.indexOf('=');
    set(found, equals >= 0 ? word.slice(equals + 1) : (bareValue(found.flag) ?? nextWord(word)));
  }

  /** False: `-h` asks for help, which ends parsing at once. */
  function takeShorts(cluster: string): boolean {
    let rest = cluster;
    while (rest !== '') {
      const letter = rest[0]!;
      const found = index.short.get(letter);
      if (found === undefined) {
        if (letter === 'h') return false;
        throw usage(`unknown shorthand flag: '${letter}' in -${rest}`);
      }
      const bare = bareValue(found.flag);
      if (rest.length > 2 && rest[1] === '=') {
        set(found, rest.slice(2));
        return true;
      }
      if (bare !== undefined) {
        set(found, bare);
        rest = rest.slice(1);
        continue;
      }
      set(found, rest.length > 1 ? rest.slice(1) : nextWord(`'${letter}' in -${rest}`));
      return true;
    }
    return true;
  }

  function nextWord(subject: string): string {
    if (at >= argv.length) throw usage(`flag needs an argument: ${subject}`);
    return argv[at++]!;
  }

  function set({ name, flag }: NamedFlag, text: string): void {
    try {
      values[name] = parseFlagValue(flag, text, given.has(name) ? values[name] : undefined);
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const shown = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
      throw usage(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${error.message}`, { cause: error });
    }
    given.add(name);
  }

  function usage(message: string, { cause, near }: { readonly cause?: unknown; readonly near?: string | undefined } = {}): EngineError {
    const page = `See '${options.path} --help'`;
    return new EngineError('USAGE', message, { hint: near === undefined ? page : `Did you mean --${near}?\n${page}`, cause });
  }
}

const NEAR = 2;
const MAX_TYPED = 64;

/** The flag that a word was probably meant to be. */
function nearFlag(table: FlagTable, typed: string): string | undefined {
  if (typed.length > MAX_TYPED) return undefined;
  const names = Object.keys(table).filter((name) => table[name]!.hidden !== true && Math.min(name.length, typed.length) > 2 * NEAR);
  return nearest(names, typed, NEAR);
}

interface NamedFlag {
  readonly name: string;
  readonly flag: Flag;
}

function indexTable(table: FlagTable): { long: Map<string, NamedFlag>; short: Map<string, NamedFlag> } {
  const long = new Map<string, NamedFlag>();
  const short = new Map<string, NamedFlag>();
  for (const name in table) {
    const flag = table[name]!;
    const named = { name, flag };
    long.set(name, named);
    for (const alias of flag.aliases ?? []) long.set(alias, named);
    if (flag.short !== undefined) short.set(flag.short, named);
  }
  return { long, short };
}

function bareValue(flag: Flag): string | undefined {
  if (flag.bare !== undefined) return flag.bare;
  if (flag.kind === 'bool') return 'true';
  return flag.kind === 'count' ? '+1' : undefined;
}

function withDefaults(table: FlagTable, values: Record<string, FlagValue>): Record<string, FlagValue> {
  for (const name in table) if (!(name in values)) values[name] = defaultValue(table[name]!);
  return values;
}

function defaultValue(flag: Flag): FlagValue {
  if (flag.default !== undefined) return flag.default;
  switch (flag.kind) {
    case 'bool':
      return false;
    case 'count':
      return 0;
    case 'stringToString':
      return {};
    case 'strings':
    case 'stringArray':
    case 'ints':
    case 'uints':
      return [];
    default:
      return undefined;
  }
}
