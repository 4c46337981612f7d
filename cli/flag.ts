/**
 * A flag as data. The key in the table is the long name as typed, without dashes. Kinds are pflag's:
 *
 * - `bool`: `--x`, `--x=false`; absent is false
 * - `string`, `int`, `uint`, `float`, `duration` (milliseconds): one value, the last one counts; absent is undefined unless `default` says more
 * - `choice`: a string out of `choices`
 * - `stringArray`: may be repeated, each value taken whole
 * - `strings`: may be repeated, each value split at commas as one line of CSV (Go: encoding/csv)
 * - `stringToString`: may be repeated, `key=value` pairs, several with commas between them
 * - `ints`, `uints`: the same, as numbers
 * - `count`: how often it was given
 */
export interface Flag {
  readonly kind: FlagKind;
  readonly help: string;
  /** One character. */
  readonly short?: string;
  /** Value where the flag was not typed. */
  readonly default?: string | number | boolean | readonly string[];
  /** What the engine does where the flag was not typed; shown in help, never handed to the command. */
  readonly shownDefault?: string | number | boolean;
  /** Value where the flag was typed without one (pflag's NoOptDefVal): `--pull` for `--pull=always`. */
  readonly bare?: string;
  /** Word for the value in help; the kind where absent. */
  readonly placeholder?: string;
  /** Other long names, not shown in help: `--net` for `--network`. */
  readonly aliases?: readonly string[];
  readonly choices?: readonly string[];
  readonly hidden?: boolean;
  /** Accepted by Podman and not by us (yet): typing it is an error rather than silence. */
  readonly unsupported?: boolean;
  /** What to do without it. */
  readonly instead?: string;
  readonly complete?: CandidateKind;
}

export type FlagTable = Readonly<Record<string, Flag>>;

/** Values by long name. Lists, bools and counts are always there. */
export type FlagValues<T extends FlagTable> = {
  readonly [K in keyof T]: KindValue[T[K]['kind']] | (T[K] extends AlwaysPresent ? never : undefined);
};

export type FlagValue = KindValue[FlagKind] | undefined;

/** What a word on the command line names, for completion. */
export type CandidateKind =
  | 'container'
  | 'running-container'
  | 'image'
  | 'volume'
  | 'network'
  | 'pod'
  | 'secret'
  | 'artifact'
  | 'quadlet'
  | 'container-or-image'
  | 'signal'
  | 'capability'
  | 'file'
  | 'none';

/** Keeps the literal types of a table, so that a command's `flags` argument is typed by it. */
export function flagTable<const T extends FlagTable>(table: T): T {
  return table;
}

interface KindValue {
  bool: boolean;
  string: string;
  choice: string;
  int: number;
  uint: number;
  float: number;
  duration: number;
  strings: readonly string[];
  stringArray: readonly string[];
  ints: readonly number[];
  uints: readonly number[];
  count: number;
  stringToString: Readonly<Record<string, string>>;
}

export type FlagKind = keyof KindValue;

type AlwaysPresent =
  | { readonly kind: 'bool' | 'count' | 'stringToString' | 'strings' | 'stringArray' | 'ints' | 'uints' }
  | { readonly default: unknown };
