import { EngineError } from './errors.ts';

/** A word as a POSIX shell reads it back. */
export function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

export function shellLine(argv: readonly string[]): string {
  return argv.map(quote).join(' ');
}

/** The words of a line as a POSIX shell divides it, without expansions. Throws INVALID_ARGUMENT (a quote that is not closed). */
export function shellWords(line: string): string[] {
  const words: string[] = [];
  for (const [word = ''] of line.matchAll(/(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*'|["'\\])+/gs)) {
    const pieces = word.match(/\\.|"(?:[^"\\]|\\.)*"|'[^']*'|[^"'\\]+|["'\\]/gs) ?? [];
    words.push(pieces.map((piece) => unquote(piece, line)).join(''));
  }
  return words;
}

function unquote(piece: string, line: string): string {
  if (piece.length === 1 && /["'\\]/.test(piece)) throw new EngineError('INVALID_ARGUMENT', `a quote is not closed: ${line}`);
  if (piece.startsWith("'")) return piece.slice(1, -1);
  if (piece.startsWith('"')) return piece.slice(1, -1).replaceAll(/\\(["\\$`])/g, '$1');
  return piece.startsWith('\\') ? piece.slice(1) : piece;
}
