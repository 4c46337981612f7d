/** The words of a value as systemd divides it (systemd.syntax(7), systemd.service(5)). How they are written: core/unit-word.ts. */

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
