/** Words as systemd reads them in a unit file: systemd.syntax(7), "Quoting" in systemd.service(5), specifiers in systemd.unit(5). */

/** A word of a command line, after the program: `$` would name a variable, `%` a specifier. */
export function argumentWord(word: string): string {
  return assignmentWord(word).replaceAll('$', '$$$$');
}

/** A word of `Environment=`, or a program: `$` is a character like any other there. */
export function assignmentWord(word: string): string {
  const text = withoutSpecifiers(word);
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll(ESCAPED, escape)}"` : text;
}

/** A value that is taken whole, such as a path. */
export function withoutSpecifiers(text: string): string {
  return text.replaceAll('%', '%%');
}

/** Of one line of the file: each word that begins with a dash stands on a line of its own. */
export function wrapWords(words: readonly string[]): string {
  return words.map((word, index) => (index === 0 ? word : `${word.startsWith('-') ? ' \\\n\t' : ' '}${word}`)).join('');
}

/** Nothing at all; a lone semicolon, which ends a command; whatever begins or ends words and escapes. */
// oxlint-disable-next-line no-control-regex
const NEEDS_QUOTES = /^$|^;$|[\0-\x20\x7f"'\\]/;
// oxlint-disable-next-line no-control-regex
const ESCAPED = /[\0-\x1f\x7f"\\]/g;
const NAMED: Readonly<Record<string, string>> = { '\n': String.raw`\n`, '\t': String.raw`\t`, '\r': String.raw`\r` };

function escape(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`;
  return NAMED[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
