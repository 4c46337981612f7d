/**
 * Go's path.Match: `*` is any run without a slash, `?` one character but a slash, `[a-z]` and `[^a-z]` a class, `\` takes the next one literally.
 * A malformed pattern matches nothing. Linear but for the last star.
 */
export function matchGlob(pattern: string, text: string): boolean {
  const parts = parseGlob(pattern);
  if (parts === undefined) return false;
  const characters = [...text];
  let [part, at] = [0, 0];
  let retry: { readonly part: number; at: number } | undefined;
  while (at < characters.length) {
    const wanted = parts[part];
    if (wanted === 'star') {
      retry = { part: ++part, at };
    } else if (wanted?.(characters[at]!) === true) {
      part++;
      at++;
    } else if (retry !== undefined && characters[retry.at] !== '/') {
      retry.at++;
      [part, at] = [retry.part, retry.at];
    } else {
      return false;
    }
  }
  return parts.slice(part).every((rest) => rest === 'star');
}

type Part = 'star' | ((character: string) => boolean);

function parseGlob(pattern: string): readonly Part[] | undefined {
  const characters = [...pattern];
  const parts: Part[] = [];
  for (let at = 0; at < characters.length; at++) {
    const character = characters[at]!;
    if (character === '*') parts.push('star');
    else if (character === '?') parts.push((one) => one !== '/');
    else if (character === '[') {
      const end = classEnd(characters, at);
      if (end === undefined) return undefined;
      parts.push(parseClass(characters.slice(at + 1, end)));
      at = end;
    } else {
      const literal = character === '\\' ? characters[++at] : character;
      if (literal === undefined) return undefined;
      parts.push((one) => one === literal);
    }
  }
  return parts;
}

function classEnd(characters: readonly string[], open: number): number | undefined {
  const first = characters[open + 1] === '^' ? open + 2 : open + 1;
  for (let at = first; at < characters.length; at++) {
    if (characters[at] === '\\') at++;
    else if (characters[at] === ']' && at > first) return at;
  }
  return undefined;
}

function parseClass(inside: readonly string[]): (character: string) => boolean {
  const negated = inside[0] === '^';
  const ranges: (readonly [string, string])[] = [];
  const rest = inside.slice(negated ? 1 : 0);
  for (let at = 0; at < rest.length; at++) {
    const low = rest[at] === '\\' ? rest[++at]! : rest[at]!;
    if (rest[at + 1] !== '-' || rest[at + 2] === undefined) ranges.push([low, low]);
    else {
      const high = rest[at + 2] === '\\' ? rest[at + 3]! : rest[at + 2]!;
      at += rest[at + 2] === '\\' ? 3 : 2;
      ranges.push([low, high]);
    }
  }
  return (character) => ranges.some(([low, high]) => character >= low && character <= high) !== negated;
}
