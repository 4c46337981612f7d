/** Walks the words of a command line down the tree of commands. */
import { editDistance } from '../core/edit-distance.ts';
import { EngineError } from '../core/errors.ts';
import { PERSISTENT_FLAGS } from './globals.ts';
import { findEntry, type Group, isGroup, type Leaf } from './registry.ts';
import { splitArguments } from './split.ts';

export type Found =
  | { readonly kind: 'command'; readonly path: string; readonly load: Leaf['load']; readonly rest: readonly string[] }
  /** The words named a group and nothing in it. */
  | { readonly kind: 'group'; readonly words: readonly string[]; readonly group: Group; readonly help: boolean };

/** Throws USAGE for a word that names nothing, with near names in the hint. */
export function findCommand(root: Group, argv: readonly string[], program: string): Found {
  const words: string[] = [];
  let group = root;
  let rest = argv;
  for (;;) {
    const path = [program, ...words].join(' ');
    const split = splitArguments(PERSISTENT_FLAGS, rest, { interspersed: false, path });
    const word = split.positionals[0];
    if (word === undefined) return { kind: 'group', words, group, help: split.help };
    const found = findEntry(group, word);
    if (found === undefined) {
      if (wantsHelp(split.positionals)) return { kind: 'group', words, group, help: true };
      throw unrecognized(group, path, word);
    }
    words.push(found.name);
    rest = split.positionals.slice(1);
    if (!isGroup(found.entry)) return { kind: 'command', path: words.join(' '), load: found.entry.load, rest };
    group = found.entry;
  }
}

function wantsHelp(words: readonly string[]): boolean {
  return words.includes('--help') || words.includes('-h');
}

function unrecognized(group: Group, path: string, word: string): EngineError {
  const shown = Object.keys(group.commands).filter((name) => group.commands[name]?.hidden !== true);
  const near = suggest(word, shown);
  const didYouMean = near.length === 0 ? '' : `\nDid you mean this?\n${near.map((name) => `\t${name}\n`).join('')}\n`;
  return new EngineError('USAGE', `unrecognized command \`${path} ${word}\``, {
    hint: `${didYouMean}Try '${path} --help' for more information`,
  });
}

/** Names that begin with the word or are at most two edits away (what cobra offers). */
function suggest(word: string, names: readonly string[]): string[] {
  const typed = word.toLowerCase();
  return names.filter((name) => name.startsWith(typed) || editDistance(typed, name) <= 2);
}
