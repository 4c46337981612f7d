/** What stands behind an instruction: flags, words, `NAME=VALUE` pairs, arrays in JSON. Nothing is expanded here. */

/** A word with its quotes and escapes, and where in the text it begins. */
export interface Word {
  readonly text: string;
  readonly at: number;
}

/** Parted at blanks outside of quotes. An open quote goes to the end: whoever expands the word complains. */
export function splitWords(text: string, escape: string): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < text.length;) {
    if (isBlank(text[at]!)) {
      at++;
      continue;
    }
    const end = endOfWord(text, at, escape);
    words.push({ text: text.slice(at, end), at });
    at = end;
  }
  return words;
}

function endOfWord(text: string, start: number, escape: string): number {
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const character = text[at]!;
    if (character === escape && quote !== "'") at++;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (isBlank(character)) break;
  }
  return Math.min(at, text.length);
}

function isBlank(character: string): boolean {
  return character === ' ' || character === '\t' || character === '\n';
}

/** Words at the beginning that start with `--`; `--` alone ends them and is dropped. */
export function splitFlags(text: string, escape: string): { readonly flags: readonly Word[]; readonly restAt: number } {
  const flags: Word[] = [];
  for (const word of splitWords(text, escape)) {
    if (!word.text.startsWith('--')) return { flags, restAt: word.at };
    if (word.text === '--') return { flags, restAt: word.at + 2 };
    flags.push(word);
  }
  return { flags, restAt: text.length };
}

/** The strings of an array in JSON; undefined for whatever is not one, which is taken as a line for the shell. */
export function jsonArray(text: string): readonly string[] | undefined {
  const trimmed = text.trim();
  if (!trimmed.startsWith('[')) return undefined;
  try {
    const parsed: unknown = JSON.parse(trimmed);
    return Array.isArray(parsed) && parsed.every((item) => typeof item === 'string') ? parsed : undefined;
  } catch {
    return undefined;
  }
}
