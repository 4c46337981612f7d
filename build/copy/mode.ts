/** `--chmod`: octal, or the words of chmod(1). */

export type ModeChange = (mode: number, isDirectory: boolean) => number;

const WHO: Readonly<Record<string, number>> = { u: 0o4700, g: 0o2070, o: 0o1007 };

/** Undefined for what is neither. */
export function parseMode(text: string): ModeChange | undefined {
  if (/^0*[0-7]{1,4}$/.test(text)) return () => Number.parseInt(text, 8);
  const clauses = text.split(',').map(parseClause);
  if (clauses.includes(undefined)) return undefined;
  return (mode, isDirectory) => clauses.reduce((now, clause) => clause!(now, isDirectory), mode);
}

function parseClause(text: string): ModeChange | undefined {
  const [, who = '', actions] = /^([ugoa]*)((?:[-+=][rwxXst]*)+)$/.exec(text) ?? [];
  if (actions === undefined) return undefined;
  const whose = who === '' || who.includes('a') ? 0o7777 : [...who].reduce((mask, one) => mask | WHO[one]!, 0);
  const parts = [...actions.matchAll(/([-+=])([rwxXst]*)/g)];
  return (mode, isDirectory) =>
    parts.reduce((now, [, operator, letters = '']) => {
      const bits = bitsOf(letters, isDirectory || (now & 0o111) !== 0) & (whose | (letters.includes('t') ? 0o1000 : 0));
      if (operator === '+') return now | bits;
      return operator === '-' ? now & ~bits : (now & ~(whose & 0o777)) | bits;
    }, mode);
}

function bitsOf(letters: string, mayExecute: boolean): number {
  let bits = 0;
  for (const letter of letters) {
    if (letter === 'r') bits |= 0o444;
    else if (letter === 'w') bits |= 0o222;
    else if (letter === 'x' || (letter === 'X' && mayExecute)) bits |= 0o111;
    else if (letter === 's') bits |= 0o6000;
    else if (letter === 't') bits |= 0o1000;
  }
  return bits;
}
