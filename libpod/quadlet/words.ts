/** The words of a value as systemd divides it, and words written so that systemd reads back the very same (systemd.syntax(7), systemd.service(5)). */

/** A value that systemd would not take. The caller says of which key. */
export class WordError extends Error {}

/**
 * Divided at white space, quotes taken away, escapes read. A quote that is not closed ends with the value. `\;` is a semicolon.
 * Throws WordError (an escape that systemd does not know).
 */
export function splitWords(text: string): string[] {
  // Most values have neither quotes nor escapes.
  if (!/["'\\]/.test(text)) return text.split(/\s+/).filter(Boolean);
  const words: string[] = [];
  let word: string | undefined;
  let quote = '';
  for (let at = 0; at < text.length; at++) {
    const char = text[at]!;
    if (char === '\\') {
      const { value, length } = readEscape(text.slice(at + 1));
      word = (word ?? '') + value;
      at += length;
    } else if (quote !== '') {
      if (char === quote) quote = '';
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= '';
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + char;
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}

export function hasOpenQuote(text: string): boolean {
  if (!/["']/.test(text)) return false;
  const closed = text.replaceAll(/\\.|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/gs, '');
  return /["']/.test(closed);
}

const SIMPLE: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
  "'": "'",
  s: ' ',
  ';': ';',
};

/** What follows the backslash. Zero bytes are in no word of a command. */
function readEscape(rest: string): { readonly value: string; readonly length: number } {
  const simple = SIMPLE[rest[0] ?? ''];
  if (simple !== undefined) return { value: simple, length: 1 };
  const [whole, hex, short, long, octal] = /^(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{3}))/.exec(rest) ?? [];
  const code = octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
  if (whole === undefined || code === 0 || code > 0x10_ffff) {
    throw new WordError(`\\${rest.slice(0, 1)} is no escape; write \\\\ for a backslash`);
  }
  return { value: String.fromCodePoint(code), length: whole.length };
}

const NAMED: Readonly<Record<string, string>> = {
  '\x07': String.raw`\a`,
  '\b': String.raw`\b`,
  '\f': String.raw`\f`,
  '\n': String.raw`\n`,
  '\r': String.raw`\r`,
  '\t': String.raw`\t`,
  '\v': String.raw`\v`,
  '\\': String.raw`\\`,
  '"': String.raw`\"`,
};

/**
 * As a word of a command line in a unit. Specifiers and variables in it stay what they are: whoever writes a Quadlet file may use them. A lone
 * semicolon would begin another command, and a dollar sign at the beginning makes all of the word the name of a variable, whatever follows.
 */
export function quoteWord(word: string): string {
  const text = /^\$(?!\w+$|[{$])/.test(word) ? `$${word}` : word;
  if (text !== '' && text !== ';' && !/[\s"'\\\p{Cc}]/u.test(text)) return text;
  return `"${text.replaceAll(/[\s"\\\p{Cc}]/gu, escapeChar)}"`;
}

export function commandLine(words: readonly string[]): string {
  return words.map(quoteWord).join(' ');
}

/** A path of this machine: nothing in it is a specifier or a variable. */
export function literalPath(path: string): string {
  return path.replaceAll('%', '%%');
}

function escapeChar(char: string): string {
  const code = char.charCodeAt(0);
  return NAMED[char] ?? (code > 0x7f ? char : `\\x${code.toString(16).padStart(2, '0')}`);
}
