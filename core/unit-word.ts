/** Words as systemd reads them in a unit file: systemd.syntax(7), "Quoting" in systemd.service(5), specifiers in systemd.unit(5). */

/** A word of a command line, after the program: `$` would name a variable, `%` a specifier. */
export function argumentWord(word: string): string {
  return assignmentWord(word).replaceAll('$', '$$$$');
}

/** A word of `Environment=`, or a program: `$` is a character like any other there. */
export function assignmentWord(word: string): string {
  return quoted(withoutSpecifiers(word), /["\\\p{Cc}]/gu);
}

/**
 * A word of a command line whose specifiers and variables stay what they are: whoever writes a Quadlet file may use them. A dollar sign at the
 * beginning would make all of the word the name of a variable, whatever follows. Spaces are escaped, as Podman's generator does.
 */
export function quoteWord(word: string): string {
  if (PLAIN.test(word)) return word;
  return quoted(/^\$(?!\w+$|[{$])/.test(word) ? `$${word}` : word, /[\s"\\\p{Cc}]/gu);
}

/**
 * A path in a list of them, outside of command lines: there a backslash stands for nothing but the character behind it. Specifiers stay what they
 * are. Undefined for a path with control characters, which cannot be said there.
 */
export function pathWord(path: string): string | undefined {
  if (/\p{Cc}/u.test(path)) return undefined;
  return NEEDS_QUOTES.test(path) ? `"${path.replaceAll(/["\\]/g, String.raw`\$&`)}"` : path;
}

/** A value that is taken whole, such as a path. */
export function withoutSpecifiers(text: string): string {
  return text.replaceAll('%', '%%');
}

/** Of one line of the file: each word that begins with a dash stands on a line of its own. */
export function wrapWords(words: readonly string[]): string {
  return words.map((word, index) => (index === 0 ? word : `${word.startsWith('-') ? ' \\\n\t' : ' '}${word}`)).join('');
}

/** Most words are: this is a look at each of thousands when a machine boots. */
const PLAIN = /^[\w./:=@,+-]+$/;

/** Nothing at all; a lone semicolon, which ends a command; whatever begins or ends words and escapes. */
const NEEDS_QUOTES = /^$|^;$|[\s"'\\\p{Cc}]/u;

function quoted(text: string, escaped: RegExp): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll(escaped, escape)}"` : text;
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

function escape(character: string): string {
  const code = character.charCodeAt(0);
  return NAMED[character] ?? (code > 0x7f ? character : `\\x${code.toString(16).padStart(2, '0')}`);
}
