/** `--env`, `--env-file`, `--label`, `--label-file`, `--annotation`: words with a key and maybe a value. */
import { invalid } from './go.ts';

type Variables = Readonly<Record<string, string | undefined>>;
type Pair = readonly [key: string, value: string];

/**
 * `KEY=value` as it stands; `KEY` is taken from the caller's environment (nothing where it is not set); `KEY*` stands for every variable
 * that begins so. Throws INVALID_ARGUMENT.
 */
export function parseEnv(text: string, caller: Variables): Pair[] {
  const equals = text.indexOf('=');
  if (equals === 0) throw invalid(`invalid variable: ${JSON.stringify(text)}`);
  if (equals > 0) return [[text.slice(0, equals), text.slice(equals + 1)]];
  if (text === '') return [];
  if (!text.endsWith('*')) return Object.hasOwn(caller, text) && caller[text] !== undefined ? [[text, caller[text]]] : [];
  const prefix = text.slice(0, -1);
  return Object.entries(caller).filter((entry): entry is [string, string] => entry[0].startsWith(prefix) && entry[1] !== undefined);
}

/** A file of `--env` lines. `#` begins a comment only at the start; blanks before a key go, those of a value stay; quotes are plain characters. */
export function parseEnvFile(content: string, path: string, caller: Variables): Pair[] {
  try {
    return contentLines(content).flatMap((line) => parseEnv(line, caller));
  } catch (error) {
    throw invalid(`parsing file ${JSON.stringify(path)}: ${(error as Error).message}`);
  }
}

/** `KEY=value`, or `KEY` with an empty value. Throws INVALID_ARGUMENT. */
export function parseLabel(text: string): Pair {
  const equals = text.indexOf('=');
  const key = equals < 0 ? text : text.slice(0, equals);
  if (key === '') throw invalid(`unable to process labels: invalid label format: ${JSON.stringify(text)}`);
  return [key, equals < 0 ? '' : text.slice(equals + 1)];
}

/** Lines as in a file of variables: `KEY` alone has the value that the caller's environment gives it, and is left out where that has none. */
export function parseLabelFile(content: string, caller: Variables): Pair[] {
  return contentLines(content).flatMap((line) => {
    const equals = line.indexOf('=');
    if (equals === 0) throw invalid(`unable to process labels: invalid environment variable: ${JSON.stringify(line)}`);
    if (equals > 0) return [[line.slice(0, equals), line.slice(equals + 1)] as const];
    return caller[line] === undefined ? [] : [[line, caller[line]] as const];
  });
}

export function parseAnnotation(text: string): Pair {
  const equals = text.indexOf('=');
  if (equals < 0) throw invalid('annotations must be formatted KEY=VALUE');
  return [text.slice(0, equals), text.slice(equals + 1)];
}

function contentLines(content: string): string[] {
  return content
    .split(/\r?\n/)
    .map((line) => line.trimStart())
    .filter((line) => line !== '' && !line.startsWith('#'));
}
