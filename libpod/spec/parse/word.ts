/**
 * A word of `--env-merge`, read as a Dockerfile's words are: `$NAME`, `${NAME}`, `${NAME:-otherwise}`, `${NAME:+instead}`; single quotes keep
 * everything, double quotes keep all but variables, a backslash takes the next character literally.
 */
import { invalid } from './go.ts';

/** Throws INVALID_ARGUMENT. */
export function expandWord(text: string, value: (name: string) => string | undefined): string {
  const reader = { text, at: 0 };
  return expandUntil(reader, undefined, value, (problem) => {
    throw invalid(`unable to process variables for --env-merge ${text}: ${problem}: ${text}`);
  });
}

interface Reader {
  readonly text: string;
  at: number;
}
type Value = (name: string) => string | undefined;
type Fail = (problem: string) => never;

/** Up to `end`, which is read too, or to the end of the text. */
function expandUntil(reader: Reader, end: string | undefined, value: Value, fail: Fail): string {
  let word = '';
  let isQuoted = false;
  for (;;) {
    const character = reader.text[reader.at++];
    if (character === undefined) {
      if (isQuoted) fail('unexpected end of statement while looking for matching double-quote');
      if (end !== undefined) fail('Missing ":" or "}" in substitution');
      return word;
    }
    if (character === end && !isQuoted) return word;
    if (character === '"') isQuoted = !isQuoted;
    else if (character === "'" && !isQuoted) word += singleQuoted(reader, fail);
    else if (character === '\\') word += escaped(reader, isQuoted);
    else if (character === '$') word += variable(reader, value, fail);
    else word += character;
  }
}

function singleQuoted(reader: Reader, fail: Fail): string {
  const end = reader.text.indexOf("'", reader.at);
  if (end < 0) return fail('unexpected end of statement while looking for matching single-quote');
  const inside = reader.text.slice(reader.at, end);
  reader.at = end + 1;
  return inside;
}

/** Between double quotes only what means something there is taken literally. */
function escaped(reader: Reader, isQuoted: boolean): string {
  const character = reader.text[reader.at++];
  if (character === undefined) return '\\';
  return isQuoted && !['"', '$', '\\'].includes(character) ? `\\${character}` : character;
}

const NAME = /[A-Za-z_]\w*|\d+/y;

function variable(reader: Reader, value: Value, fail: Fail): string {
  const isBraced = reader.text[reader.at] === '{';
  if (isBraced) reader.at++;
  const name = nameAt(reader);
  if (!isBraced) return name === undefined ? '$' : (value(name) ?? '');
  if (name === undefined) return fail('bad substitution');
  const next = reader.text[reader.at++];
  const current = value(name) ?? '';
  if (next === '}') return current;
  const modifier = next === ':' ? reader.text[reader.at++] : undefined;
  if (modifier !== '-' && modifier !== '+') return fail('unsupported modifier in substitution');
  const other = expandUntil(reader, '}', value, fail);
  if (modifier === '-') return current === '' ? other : current;
  return current === '' ? '' : other;
}

function nameAt(reader: Reader): string | undefined {
  NAME.lastIndex = reader.at;
  const name = NAME.exec(reader.text)?.[0];
  reader.at += name?.length ?? 0;
  return name;
}
