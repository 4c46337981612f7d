/** Texts to flag values, with the words of Go's strconv. Callers put the flag's name around the message. */
import { parseDurationMs } from '../core/duration.ts';
import { EngineError } from '../core/errors.ts';
import { parseCsvLine } from '../core/csv.ts';
import type { Flag, FlagValue } from './flag.ts';

/** `before` is the value so far where the flag may be repeated. Throws INVALID_ARGUMENT. */
export function parseFlagValue(flag: Flag, text: string, before: FlagValue): FlagValue {
  switch (flag.kind) {
    case 'bool':
      return parseGoBool(text);
    case 'string':
      return text;
    case 'choice':
      return parseChoice(text, flag.choices ?? []);
    case 'int':
      return parseGoInt(text);
    case 'uint':
      return parseGoUint(text);
    case 'float':
      return parseGoFloat(text);
    case 'duration':
      return parseDurationMs(text);
    case 'count':
      return text === '+1' ? Number(before ?? 0) + 1 : parseGoInt(text);
    case 'stringArray':
      return [...listSoFar<string>(before), text];
    case 'strings':
      return [...listSoFar<string>(before), ...parseCsvLine(text)];
    case 'stringToString':
      return { ...pairsSoFar(before), ...Object.fromEntries(parsePairs(text)) };
    case 'ints':
      return [...listSoFar<number>(before), ...text.split(',').map((part) => parseGoInt(part))];
    case 'uints':
      return [...listSoFar<number>(before), ...text.split(',').map((part) => parseGoUint(part))];
    default:
      throw new Error(`no such kind of flag: ${String(flag.kind satisfies never)}`);
  }
}

/** strconv.ParseBool. */
export function parseGoBool(text: string): boolean {
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  if (['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text)) return false;
  throw strconvError('ParseBool', text, 'invalid syntax');
}

/** strconv.ParseInt with base 0 and 64 bits. Beyond 2^53 the value is rounded, which no flag of ours can notice. */
export function parseGoInt(text: string): number {
  return parseInteger(text, 'ParseInt', /^[+-]/, -(2n ** 63n), 2n ** 63n - 1n);
}

/** strconv.ParseUint with base 0 and 64 bits. */
export function parseGoUint(text: string): number {
  return parseInteger(text, 'ParseUint', /^(?!)/, 0n, 2n ** 64n - 1n);
}

/** strconv.ParseFloat; decimal notation, exponents, inf and nan. */
export function parseGoFloat(text: string): number {
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return Number(text);
  if (/^[+-]?inf(inity)?$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  throw strconvError('ParseFloat', text, 'invalid syntax');
}

function parseInteger(text: string, verb: string, sign: RegExp, lowest: bigint, highest: bigint): number {
  const digits = text.replace(sign, '');
  if (!/^(0x[\da-f]+|0b[01]+|0o?[0-7]+|0|[1-9]\d*)$/i.test(digits)) throw strconvError(verb, text, 'invalid syntax');
  const magnitude = BigInt(/^0[0-7]/.test(digits) ? `0o${digits.slice(1)}` : digits);
  const value = text.startsWith('-') ? -magnitude : magnitude;
  if (value < lowest || value > highest) throw strconvError(verb, text, 'value out of range');
  return Number(value);
}

function parseChoice(text: string, choices: readonly string[]): string {
  if (choices.includes(text)) return text;
  throw new EngineError('INVALID_ARGUMENT', `${JSON.stringify(text)} is not a valid value.  Choose from: "${choices.join(', ')}"`);
}

/** pflag: with one `=` the whole text is a pair, with several it is a line of CSV. */
function parsePairs(text: string): (readonly [string, string])[] {
  const count = text.split('=').length - 1;
  const words = count === 1 ? [text.replace(/^"+|"+$/g, '')] : count === 0 ? [text] : parseCsvLine(text);
  return words.map((word) => {
    const equals = word.indexOf('=');
    if (equals < 0) throw new EngineError('INVALID_ARGUMENT', `${word} must be formatted as key=value`);
    return [word.slice(0, equals), word.slice(equals + 1)];
  });
}

function pairsSoFar(before: FlagValue): Readonly<Record<string, string>> {
  return typeof before === 'object' && !Array.isArray(before) ? (before as Readonly<Record<string, string>>) : {};
}

function strconvError(verb: string, text: string, problem: string): EngineError {
  return new EngineError('INVALID_ARGUMENT', `strconv.${verb}: parsing ${JSON.stringify(text)}: ${problem}`);
}

function listSoFar<T>(before: FlagValue): readonly T[] {
  return (Array.isArray(before) ? before : []) as readonly T[];
}
