/**
 * Variables in the words of a Dockerfile, as BuildKit's lexer reads them: `$x`, `${x}`, `${x-y}` `${x:-y}`, `${x+y}` `${x:+y}`, `${x?y}` `${x:?y}`,
 * `${x#p}` `${x##p}`, `${x%p}` `${x%%p}`, `${x/p/r}` `${x//p/r}`. Single quotes keep everything, double quotes all but variables, and the escape
 * character takes the next one literally.
 */
import { removePrefix, removeSuffix, replacePattern } from './pattern.ts';

export interface Expansion {
  readonly escape: '\\' | '`';
  /** Undefined: not set. */
  readonly value: (name: string) => string | undefined;
}

/** What is wrong with a word; the caller knows where it stands. */
export class WordError extends Error {}

/** Values nested in values: `${a:-${b:-…}}`. */
const MAX_DEPTH = 100;
/** Replacing can double a value again and again. */
const MAX_BYTES = 2 ** 20;

/** The word without its quotes and with its variables in place. Throws WordError. */
export function expandWord(text: string, expansion: Expansion): string {
  return new Reader(text, expansion).all().join('');
}

/** Undefined where that cannot be. */
export function expandedOrNot(text: string, expansion: Expansion): string | undefined {
  try {
    return expandWord(text, expansion);
  } catch (error) {
    if (error instanceof WordError) return undefined;
    throw error;
  }
}

/** The same where blanks that a variable brings, or that stand in the text, part words; quotes keep them together. Throws WordError. */
export function expandWords(text: string, expansion: Expansion): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (const piece of new Reader(text, expansion).pieces(undefined, 0)) {
    if (piece.kept) {
      word = (word ?? '') + piece.text;
      continue;
    }
    for (const [index, part] of piece.text.split(/[ \t\n]+/).entries()) {
      if (index > 0) {
        if (word !== undefined) words.push(word);
        word = undefined;
      }
      if (part !== '') word = (word ?? '') + part;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

interface Piece {
  readonly text: string;
  /** By quotes or an escape: blanks in it part nothing. */
  readonly kept: boolean;
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const SPECIAL = /[0-9@*#?$!-]/;

class Reader {
  readonly #text: string;
  readonly #escape: string;
  readonly #value: Expansion['value'];
  #at = 0;
  #bytes = 0;

  constructor(text: string, { escape, value }: Expansion) {
    this.#text = text;
    this.#escape = escape;
    this.#value = value;
  }

  all(): string[] {
    return [...this.pieces(undefined, 0)].map(({ text }) => text);
  }

  /** Up to `end`, which is read too, or to the end of the text. */
  *pieces(end: string | undefined, depth: number): Generator<Piece, void> {
    if (depth > MAX_DEPTH) throw new WordError('substitutions are nested too deeply');
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) {
        if (end !== undefined) throw new WordError(`missing "${end}" in substitution: ${this.#text}`);
        return;
      }
      if (character === end) {
        this.#at++;
        return;
      }
      if (character === "'") yield { text: this.#singleQuoted(), kept: true };
      else if (character === '"') yield { text: this.#doubleQuoted(depth), kept: true };
      else if (character === '$') yield { text: this.#counted(this.#variable(depth)), kept: false };
      else if (character === this.#escape) yield { text: this.#escaped(), kept: true };
      else {
        this.#at++;
        yield { text: character, kept: false };
      }
    }
  }

  #counted(text: string): string {
    this.#bytes += text.length;
    if (this.#bytes > MAX_BYTES) throw new WordError('variables make the word longer than 1 MiB');
    return text;
  }

  #escaped(): string {
    this.#at++;
    const next = this.#text[this.#at];
    if (next === undefined) return this.#escape;
    this.#at++;
    return next;
  }

  #singleQuoted(): string {
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw new WordError('unexpected end of statement while looking for matching single-quote');
    const inside = this.#text.slice(this.#at + 1, end);
    this.#at = end + 1;
    return inside;
  }

  /** The escape character means something only before `"`, `$` and itself. */
  #doubleQuoted(depth: number): string {
    this.#at++;
    let inside = '';
    for (;;) {
      const character = this.#text[this.#at];
      if (character === undefined) throw new WordError('unexpected end of statement while looking for matching double-quote');
      if (character === '"') {
        this.#at++;
        return inside;
      }
      if (character === '$') inside += this.#counted(this.#variable(depth));
      else if (character === this.#escape) {
        const next = this.#text[this.#at + 1];
        if (next === undefined) throw new WordError('unexpected end of statement while looking for matching double-quote');
        inside += next === '"' || next === '$' || next === this.#escape ? next : character + next;
        this.#at += 2;
      } else {
        inside += character;
        this.#at++;
      }
    }
  }

  #variable(depth: number): string {
    this.#at++;
    if (this.#text[this.#at] !== '{') {
      const name = this.#name();
      return name === '' ? '$' : (this.#value(name) ?? '');
    }
    this.#at++;
    const name = this.#name();
    if (name === '') throw new WordError(`bad substitution: ${this.#text}`);
    const current = this.#value(name);
    const operator = this.#text[this.#at++];
    switch (operator) {
      case '}':
        return current ?? '';
      case ':':
        return this.#chosen(this.#text[this.#at++], name, current === '' ? undefined : current, depth);
      case '+':
      case '-':
      case '?':
        return this.#chosen(operator, name, current, depth);
      case '#':
      case '%':
        return this.#cut(operator, current ?? '', depth);
      case '/':
        return this.#replaced(current ?? '', depth);
      default:
        throw new WordError(`unsupported modifier (${operator ?? 'end of the word'}) in substitution: ${this.#text}`);
    }
  }

  #chosen(operator: string | undefined, name: string, current: string | undefined, depth: number): string {
    const word = this.#until('}', depth);
    if (operator === '-') return current ?? word;
    if (operator === '+') return current === undefined ? '' : word;
    if (operator !== '?') throw new WordError(`unsupported modifier (:${operator ?? ''}) in substitution: ${this.#text}`);
    if (current !== undefined) return current;
    throw new WordError(`${name}: ${word === '' ? 'not set' : word}`);
  }

  #cut(side: '#' | '%', current: string, depth: number): string {
    const greedy = this.#text[this.#at] === side;
    if (greedy) this.#at++;
    const pattern = this.#pattern('}', depth);
    return side === '#' ? removePrefix(current, pattern, greedy) : removeSuffix(current, pattern, greedy);
  }

  #replaced(current: string, depth: number): string {
    const all = this.#text[this.#at] === '/';
    if (all) this.#at++;
    const pattern = this.#pattern('/', depth);
    return replacePattern(current, pattern, this.#until('}', depth), all);
  }

  #until(end: string, depth: number): string {
    return [...this.pieces(end, depth + 1)].map(({ text }) => text).join('');
  }

  /** Escapes stay in a pattern: there they take away the meaning of `*` and `?`. */
  #pattern(end: string, depth: number): string {
    let pattern = '';
    for (const { text, kept } of this.pieces(end, depth + 1)) pattern += kept ? text.replaceAll(/[*?\\]/g, '\\$&') : text;
    return pattern;
  }

  #name(): string {
    NAME.lastIndex = this.#at;
    const name = NAME.exec(this.#text)?.[0] ?? (SPECIAL.test(this.#text[this.#at] ?? '') ? this.#text[this.#at]! : '');
    this.#at += name.length;
    return name;
  }
}
