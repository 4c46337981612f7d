/** How Go's fmt prints values: `%v` and its kin, and the verbs of Printf. */
import { GoFloat, GoStruct, isStruct, sortedEntries, structFields, typeName } from './value.ts';
import { GoTime } from './time.ts';

export interface Flags {
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  readonly width?: number;
  readonly precision?: number;
}

export const NO_FLAGS: Flags = { plus: false, minus: false, sharp: false, space: false, zero: false };

/** `%v`: what `{{.X}}` and print write. undefined prints as nil here; the template engine writes `<no value>` itself. */
export function formatValue(value: unknown): string {
  return formatVerb(value, 'v', NO_FLAGS);
}

/** One operand under one verb, padded. A verb that does not fit gives Go's `%!d(string=x)`. */
export function formatVerb(value: unknown, verb: string, flags: Flags): string {
  if (verb === 'T') return pad(typeName(value), flags);
  if (value === null || value === undefined) return verb === 'v' ? pad('<nil>', flags) : badVerb(value, verb);
  if (typeof value === 'boolean') return verb === 't' || verb === 'v' ? pad(String(value), flags) : badVerb(value, verb);
  if (typeof value === 'bigint') return formatInteger(value, verb, flags) ?? badVerb(value, verb);
  if (typeof value === 'number' && Number.isInteger(value)) return formatInteger(BigInt(value), verb, flags) ?? badVerb(value, verb);
  if (typeof value === 'number') return formatFloat(value, verb, flags);
  if (value instanceof GoFloat) return formatFloat(value.value, verb, flags);
  if (typeof value === 'string') return formatString(value, verb, flags);
  if (value instanceof GoTime) return verb === 'v' || verb === 's' ? pad(value.toString(), flags) : badVerb(value.toString(), verb);
  if (Array.isArray(value)) return formatSlice(value, verb, flags);
  if (value instanceof Map) return formatMap(value, verb, flags);
  return isStruct(value) ? formatStruct(value, verb, flags) : badVerb(value, verb);
}

function formatSlice(value: readonly unknown[], verb: string, flags: Flags): string {
  if (isSyntax(verb, flags)) return `${typeName(value)}{${value.map((item) => formatVerb(item, verb, flags)).join(', ')}}`;
  return `[${value.map((item) => formatVerb(item, verb, flags)).join(' ')}]`;
}

function formatMap(value: ReadonlyMap<unknown, unknown>, verb: string, flags: Flags): string {
  const members = sortedEntries(value).map(([key, item]) => `${formatVerb(key, verb, flags)}:${formatVerb(item, verb, flags)}`);
  return isSyntax(verb, flags) ? `${typeName(value)}{${members.join(', ')}}` : `map[${members.join(' ')}]`;
}

function formatStruct(value: object, verb: string, flags: Flags): string {
  const named = flags.plus || isSyntax(verb, flags);
  const members = structFields(value).map(([name, item]) => (named ? `${name}:` : '') + formatVerb(item, verb, flags));
  return isSyntax(verb, flags) ? `${typeName(value)}{${members.join(', ')}}` : `{${members.join(' ')}}`;
}

function formatString(value: string, verb: string, flags: Flags): string {
  const text = flags.precision === undefined || verb === 'x' || verb === 'X' ? value : [...value].slice(0, flags.precision).join('');
  switch (verb) {
    case 'v':
      return pad(flags.sharp ? quote(text) : text, flags);
    case 's':
      return pad(text, flags);
    case 'q':
      return pad(flags.sharp && !text.includes('`') ? `\`${text}\`` : quote(text), flags);
    case 'x':
    case 'X': {
      const hex = Buffer.from(value).subarray(0, flags.precision).toString('hex');
      const spaced = flags.space ? hex.replaceAll(/..(?=.)/g, '$& ') : hex;
      return pad(verb === 'X' ? spaced.toUpperCase() : spaced, flags);
    }
    default:
      return badVerb(value, verb);
  }
}

const BASES: Readonly<Record<string, number>> = { d: 10, v: 10, b: 2, o: 8, O: 8, x: 16, X: 16 };
const PREFIXES: Readonly<Record<string, string>> = { b: '0b', o: '0', x: '0x', X: '0X' };
const UNICODE_MAX = 0x10_ffffn;

/** Undefined for a verb that is not one of integers. */
function formatInteger(value: bigint, verb: string, flags: Flags): string | undefined {
  if (verb === 'c' || verb === 'q' || verb === 'U') return pad(formatCodePoint(value, verb, flags), flags);
  const base = BASES[verb];
  if (base === undefined) return undefined;
  const negative = value < 0n;
  const plain = (negative ? -value : value).toString(base);
  const digits = (verb === 'X' ? plain.toUpperCase() : plain).padStart(flags.precision ?? 0, '0');
  const prefix = verb === 'O' ? '0o' : flags.sharp ? (PREFIXES[verb] ?? '') : '';
  return padNumber(sign(negative, verb, flags) + prefix, digits, { ...flags, zero: flags.zero && flags.precision === undefined });
}

function formatCodePoint(value: bigint, verb: string, flags: Flags): string {
  const isValid = value >= 0n && value <= UNICODE_MAX && !(value >= 0xd800n && value < 0xe000n);
  const char = isValid ? String.fromCodePoint(Number(value)) : '\ufffd';
  if (verb === 'c') return char;
  if (verb === 'q') return `'${quote(char).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  const hex = `U+${value.toString(16).toUpperCase().padStart(4, '0')}`;
  return flags.sharp ? `${hex} '${char}'` : hex;
}

function formatFloat(value: number, verb: string, flags: Flags): string {
  const text = Number.isFinite(value) ? floatDigits(Math.abs(value), verb, flags) : Number.isNaN(value) ? 'NaN' : 'Inf';
  if (text === undefined) return badVerb(new GoFloat(value), verb);
  const negative = value < 0 || Object.is(value, -0);
  return padNumber(sign(negative, verb, flags), text, { ...flags, zero: flags.zero && Number.isFinite(value) });
}

function floatDigits(value: number, verb: string, flags: Flags): string | undefined {
  const precision = flags.precision === undefined ? undefined : Math.min(flags.precision, 100);
  switch (verb) {
    case 'f':
    case 'F':
      return value.toFixed(precision ?? 6);
    case 'e':
    case 'E': {
      const text = twoDigitExponent(value.toExponential(precision ?? 6));
      return verb === 'E' ? text.toUpperCase() : text;
    }
    case 'v':
    case 'g':
    case 'G': {
      const text = shortestFloat(value, precision);
      return verb === 'G' ? text.toUpperCase() : text;
    }
    default:
      return undefined;
  }
}

/** %g: the shortest digits that give the number back (an exponent from 1e6 on), or `precision` significant ones. */
function shortestFloat(value: number, precision: number | undefined): string {
  const wanted = precision === undefined ? undefined : Math.max(precision, 1);
  const [digits = '', exponent] = value.toExponential(wanted === undefined ? undefined : wanted - 1).split('e');
  const power = Number(exponent);
  const mantissa = digits.includes('.') ? digits.replace(/0+$/, '').replace(/\.$/, '') : digits;
  const count = mantissa.replace('.', '').length;
  const exponentFrom = wanted === undefined ? SHORTEST_EXPONENT : wanted > count && count > power ? count : wanted;
  if (power < -4 || power >= exponentFrom) return twoDigitExponent(`${mantissa}e${power < 0 ? '-' : '+'}${Math.abs(power)}`);
  return Number(`${mantissa}e${power}`).toFixed(Math.min(Math.max(0, count - 1 - power), 100));
}

const SHORTEST_EXPONENT = 6;

function twoDigitExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}

/** Under %+v the plus asks for field names, not for signs. */
function sign(negative: boolean, verb: string, flags: Flags): string {
  return negative ? '-' : flags.plus && verb !== 'v' ? '+' : flags.space ? ' ' : '';
}

function padNumber(prefix: string, digits: string, flags: Flags): string {
  if (!flags.zero || flags.minus) return pad(prefix + digits, flags);
  return prefix + digits.padStart((flags.width ?? 0) - prefix.length, '0');
}

/** Widths count characters. */
function pad(text: string, flags: Flags): string {
  if (flags.width === undefined) return text;
  const fill = (flags.zero && !flags.minus ? '0' : ' ').repeat(Math.max(0, flags.width - [...text].length));
  return flags.minus ? text + fill : fill + text;
}

function isSyntax(verb: string, flags: Flags): boolean {
  return verb === 'v' && flags.sharp;
}

/** `%!d(string=x)`; a struct or a collection would have complained for each of its members already. */
function badVerb(value: unknown, verb: string): string {
  if (value === null || value === undefined) return `%!${verb}(<nil>)`;
  return `%!${verb}(${typeName(value)}=${value instanceof GoStruct ? '' : formatVerb(value, 'v', NO_FLAGS)})`;
}

const QUOTED: Readonly<Record<string, string>> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
  '"': '\\"',
};

/** strconv.Quote. */
export function quote(text: string): string {
  return `"${text.replaceAll(/[\\"\p{C}\u2028\u2029]/gu, quoteChar)}"`;
}

function quoteChar(char: string): string {
  const point = char.codePointAt(0)!;
  if (QUOTED[char] !== undefined) return QUOTED[char];
  if (point < 0x80) return `\\x${point.toString(16).padStart(2, '0')}`;
  return point > 0xffff ? `\\U${point.toString(16).padStart(8, '0')}` : `\\u${point.toString(16).padStart(4, '0')}`;
}
