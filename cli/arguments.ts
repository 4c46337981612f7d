/** How many positionals a command takes, and Podman's words where it gets another number. */
import type { FlagValue } from './flag.ts';

export interface GivenArguments {
  readonly args: readonly string[];
  /** Without the program's word: `container ps`. */
  readonly path: string;
  readonly program: string;
  readonly flags: Readonly<Record<string, FlagValue>>;
}

/** The complaint, or undefined where all is well. */
export type ArgumentRule = (given: GivenArguments) => string | undefined;

export const anyArguments: ArgumentRule = () => undefined;

export const noArguments: ArgumentRule = ({ args, path, program }) =>
  args.length === 0 ? undefined : `\`${program} ${path}\` takes no arguments`;

export function exactly(count: number): ArgumentRule {
  return ({ args }) => (args.length === count ? undefined : `accepts ${count} arg(s), received ${args.length}`);
}

export function atLeast(count: number): ArgumentRule {
  return ({ args }) => (args.length >= count ? undefined : `requires at least ${count} arg(s), only received ${args.length}`);
}

export function atMost(count: number): ArgumentRule {
  return ({ args }) => (args.length <= count ? undefined : `accepts at most ${count} arg(s), received ${args.length}`);
}

export function between(least: number, most: number): ArgumentRule {
  return ({ args }) =>
    args.length >= least && args.length <= most ? undefined : `accepts between ${least} and ${most} arg(s), received ${args.length}`;
}

/** The rules in turn; the first complaint counts. */
export function allOf(...rules: readonly ArgumentRule[]): ArgumentRule {
  return (given) => {
    for (const rule of rules) {
      const complaint = rule(given);
      if (complaint !== undefined) return complaint;
    }
    return undefined;
  };
}

/** A complaint in other words than the count rules have. */
export function complainIf(bad: (given: GivenArguments) => boolean, words: string): ArgumentRule {
  return (given) => (bad(given) ? words : undefined);
}

/** Names, or one of --all, --latest, --cidfile, --filter: whichever of these the command's table has. */
export const namesOrSelection: ArgumentRule = selection('cidfile');
/** The same of pods. */
export const podsOrSelection: ArgumentRule = selection('pod-id-file');

function selection(fileFlag: string): ArgumentRule {
  return ({ args, flags }) => {
    const all = flags['all'] === true;
    const latest = flags['latest'] === true;
    const idFile = isTyped(flags[fileFlag]);
    const filtered = isTyped(flags['filter']);
    if (idFile && (all || latest)) return `--all, --latest, and --${fileFlag} cannot be used together`;
    if (all && latest) return '--all and --latest cannot be used together';
    if (args.length > 0 && all) return 'no arguments are needed with --all';
    if (args.length > 0 && idFile) return `no arguments are needed with --latest or --${fileFlag}`;
    if (args.length > 0 && latest) return '--latest and containers cannot be used together';
    if (args.length > 0 && filtered) return '--filter takes no arguments';
    return args.length > 0 || all || latest || idFile || filtered ? undefined : 'you must provide at least one name or id';
  };
}

/** One object or two to compare, or --latest. */
export const oneOrTwoObjects: ArgumentRule = (given) => {
  const { args, flags, path, program } = given;
  if (flags['latest'] === true) return args.length > 0 ? '--latest and containers cannot be used together' : undefined;
  if (args.length === 0) return `${JSON.stringify(`${program} ${path}`)} requires a name, id, or the "--latest" flag`;
  return between(1, 2)(given);
};

function isTyped(value: FlagValue): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}
