/** Patterns of a shell over the values of variables: `*` any text, `?` one character, a backslash takes the next one literally. */

export function removePrefix(text: string, pattern: string, greedy: boolean): string {
  return text.replace(new RegExp(`^${source(pattern, greedy)}`, 'su'), '');
}

/** The shortest end that matches is looked for from the end: an expression would find the longest first. */
export function removeSuffix(text: string, pattern: string, greedy: boolean): string {
  const whole = new RegExp(`^${source(pattern, greedy)}$`, 'su');
  const starts = Array.from({ length: text.length + 1 }, (_, index) => (greedy ? index : text.length - index));
  const start = starts.find((at) => whole.test(text.slice(at)));
  return start === undefined ? text : text.slice(0, start);
}

export function replacePattern(text: string, pattern: string, by: string, all: boolean): string {
  if (pattern === '') return text;
  return text.replace(new RegExp(source(pattern, true), all ? 'gsu' : 'su'), () => by);
}

function source(pattern: string, greedy: boolean): string {
  let expression = '';
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at]!;
    if (character === '*') expression += greedy ? '.*' : '.*?';
    else if (character === '?') expression += '.';
    else expression += literal(character === '\\' && at + 1 < pattern.length ? pattern[++at]! : character);
  }
  return expression;
}

function literal(character: string): string {
  return /[\^$\\.*+?()[\]{}|/]/.test(character) ? `\\${character}` : character;
}
