/** What may stand at the cursor: words of commands, flags, values of flags, names of objects. */
import type { Command } from '../command.ts';
import type { CandidateKind, Flag, FlagTable } from '../flag.ts';
import { PERSISTENT_FLAGS, ROOT_FLAGS } from '../globals.ts';
import { findEntry, type Group, isGroup } from '../registry.ts';

export type Candidates = (kind: CandidateKind) => Promise<readonly string[]>;

/**
 * Lines for the shell: `candidate<TAB>description`, or the one line `:file` where a path belongs.
 * `words` are those after the program's, the last one (maybe empty) is being typed. Never throws.
 */
export async function completionLines(root: Group, words: readonly string[], candidates: Candidates): Promise<string[]> {
  const typed = words.at(-1) ?? '';
  const place = await walk(root, words.slice(0, -1));
  const table =
    place.command === undefined ? (place.group === root ? ROOT_FLAGS : PERSISTENT_FLAGS) : { ...PERSISTENT_FLAGS, ...place.command.flags };

  if (place.flag !== undefined) return await flagValues(place.flag, typed, '', candidates);
  if (typed.startsWith('--') && typed.includes('=') && !place.flagsEnded) {
    const name = typed.slice(2, typed.indexOf('='));
    const flag = lookUp(table, `--${name}`);
    return flag === undefined ? [] : await flagValues(flag, typed.slice(name.length + 3), `--${name}=`, candidates);
  }
  if (typed.startsWith('-') && !place.flagsEnded) return flagNames(table, typed);
  if (place.command === undefined) return commandWords(place.group, typed);
  const kinds = place.command.complete ?? [];
  return await namesOf(kinds[Math.min(place.positionals, kinds.length - 1)] ?? 'none', typed, '', candidates);
}

interface Place {
  readonly group: Group;
  readonly command?: Command;
  readonly positionals: number;
  /** The flag whose value is being typed. */
  readonly flag?: Flag;
  readonly flagsEnded: boolean;
}

async function walk(root: Group, words: readonly string[]): Promise<Place> {
  let group = root;
  let command: Command | undefined;
  let table: FlagTable = ROOT_FLAGS;
  let positionals = 0;
  let flagsEnded = false;
  let pending: Flag | undefined;
  for (const word of words) {
    if (pending !== undefined) pending = undefined;
    else if (word === '--' && !flagsEnded) flagsEnded = true;
    else if (word.startsWith('-') && word.length > 1 && !flagsEnded) pending = flagAwaitingValue(table, word);
    else if (command !== undefined) {
      positionals++;
      if (command.interspersed === false) flagsEnded = true;
    } else {
      const found = findEntry(group, word);
      if (found === undefined) return { group: { ...group, commands: {} }, positionals, flagsEnded: true };
      if (isGroup(found.entry)) group = found.entry;
      else command = (await found.entry.load()).command;
      table = { ...PERSISTENT_FLAGS, ...command?.flags };
    }
  }
  return { group, positionals, flagsEnded, ...(command && { command }), ...(pending && { flag: pending }) };
}

/** The flag whose value the next word is; undefined where the word holds all. */
function flagAwaitingValue(table: FlagTable, word: string): Flag | undefined {
  if (word.includes('=')) return undefined;
  const flag = word.startsWith('--') ? lookUp(table, word) : lookUp(table, `-${word.at(-1)}`);
  return flag === undefined || flag.kind === 'bool' || flag.kind === 'count' || flag.bare !== undefined ? undefined : flag;
}

function lookUp(table: FlagTable, word: string): Flag | undefined {
  if (word.startsWith('--')) return Object.hasOwn(table, word.slice(2)) ? table[word.slice(2)] : undefined;
  return Object.values(table).findLast((flag) => flag.short === word.slice(1));
}

function flagNames(table: FlagTable, typed: string): string[] {
  return Object.entries({ ...table, help: { kind: 'bool', help: 'Show help' } satisfies Flag })
    .filter(([name, flag]) => !('hidden' in flag && flag.hidden === true) && `--${name}`.startsWith(typed))
    .map(([name, flag]) => `--${name}\t${flag.help.split('\n')[0]}`);
}

function commandWords(group: Group, typed: string): string[] {
  return Object.entries(group.commands)
    .filter(([name, entry]) => entry.hidden !== true && name.startsWith(typed))
    .map(([name, entry]) => `${name}\t${entry.summary}`);
}

async function flagValues(flag: Flag, typed: string, prefix: string, candidates: Candidates): Promise<string[]> {
  if (flag.choices !== undefined) return flag.choices.filter((choice) => choice.startsWith(typed)).map((choice) => prefix + choice);
  return await namesOf(flag.complete ?? 'none', typed, prefix, candidates);
}

async function namesOf(kind: CandidateKind, typed: string, prefix: string, candidates: Candidates): Promise<string[]> {
  if (kind === 'none') return [];
  if (kind === 'file') return [':file'];
  try {
    return (await candidates(kind)).filter((name) => name.startsWith(typed)).map((name) => prefix + name);
  } catch {
    return [];
  }
}
