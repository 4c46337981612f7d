/** The functions a template may call: Go's own and those Podman adds. */
import { COMPACT, encodeJson } from '../json.ts';
import { formatValue } from './format.ts';
import { escapeHtml, escapeJs, escapeQuery } from './escape.ts';
import { sprint, sprintf } from './printf.ts';
import { compareText } from '../../../core/compare-text.ts';
import { GoFloat, isStruct, isTrue, typeName } from './value.ts';

/** What a parameter accepts; Go would say interface{}, string, int, []string. */
export type Parameter = 'any' | 'string' | 'int' | 'strings';

export interface TemplateFunction {
  readonly parameters: readonly Parameter[];
  /** The type of any number of further arguments. */
  readonly rest?: Parameter;
  /** May throw a FunctionError; arguments fit `parameters`. `and` and `or` are evaluated by the engine, which stops early. */
  readonly call: (...args: never[]) => unknown;
}

/** What a function finds wrong; the engine says where. */
export class FunctionError extends Error {}

/** More characters than any table needs, far below what a string can hold. */
const LONGEST = 1 << 24;

const BUILTIN: Readonly<Record<string, TemplateFunction>> = {
  and: { parameters: ['any'], rest: 'any', call: () => undefined },
  or: { parameters: ['any'], rest: 'any', call: () => undefined },
  not: { parameters: ['any'], call: (value: unknown) => !isTrue(value) },
  len: { parameters: ['any'], call: length },
  index: { parameters: ['any'], rest: 'any', call: (item: unknown, ...keys: unknown[]) => index(item, keys) },
  slice: { parameters: ['any'], rest: 'any', call: (item: unknown, ...bounds: unknown[]) => slice(item, bounds) },
  call: { parameters: ['any'], rest: 'any', call: callValue },
  print: { parameters: [], rest: 'any', call: (...args: unknown[]) => sprint(args) },
  printf: { parameters: ['string'], rest: 'any', call: (format: string, ...args: unknown[]) => sprintf(format, args) },
  println: { parameters: [], rest: 'any', call: (...args: unknown[]) => `${args.map(formatValue).join(' ')}\n` },
  html: { parameters: [], rest: 'any', call: (...args: unknown[]) => escapeHtml(sprint(args)) },
  js: { parameters: [], rest: 'any', call: (...args: unknown[]) => escapeJs(sprint(args)) },
  urlquery: { parameters: [], rest: 'any', call: (...args: unknown[]) => escapeQuery(sprint(args)) },
  eq: { parameters: ['any'], rest: 'any', call: (left: unknown, ...others: unknown[]) => isEqualToAny(left, others) },
  ne: { parameters: ['any', 'any'], call: (left: unknown, right: unknown) => !isEqual(left, right) },
  lt: { parameters: ['any', 'any'], call: (left: unknown, right: unknown) => compare(left, right) < 0 },
  le: { parameters: ['any', 'any'], call: (left: unknown, right: unknown) => compare(left, right) <= 0 },
  gt: { parameters: ['any', 'any'], call: (left: unknown, right: unknown) => compare(left, right) > 0 },
  ge: { parameters: ['any', 'any'], call: (left: unknown, right: unknown) => compare(left, right) >= 0 },
};

/** containers/common pkg/report: DefaultFuncs. */
const ADDED: Readonly<Record<string, TemplateFunction>> = {
  json: { parameters: ['any'], call: (value: unknown) => encodeJson(value, COMPACT) },
  join: { parameters: ['strings', 'string'], call: (parts: readonly string[], separator: string) => parts.join(separator) },
  split: { parameters: ['string', 'string'], call: (text: string, separator: string) => text.split(separator) },
  upper: { parameters: ['string'], call: (text: string) => text.toUpperCase() },
  lower: { parameters: ['string'], call: (text: string) => text.toLowerCase() },
  title: { parameters: ['string'], call: titleCase },
  pad: { parameters: ['string', 'int', 'int'], call: padWith },
  truncate: { parameters: ['string', 'int'], call: (text: string, limit: number) => substring(text, 0, Math.min(limit, byteLength(text))) },
};

export const FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map(Object.entries({ ...BUILTIN, ...ADDED }));
export const FUNCTION_NAMES: ReadonlySet<string> = new Set(FUNCTIONS.keys());

function length(value: unknown): number {
  if (value === null || value === undefined) throw new FunctionError('reflect: call of reflect.Value.Type on zero Value');
  if (typeof value === 'string') return byteLength(value);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Map) return value.size;
  throw new FunctionError(`len of type ${typeName(value)}`);
}

function index(item: unknown, keys: readonly unknown[]): unknown {
  if (item === null || item === undefined) throw new FunctionError('index of untyped nil');
  let value: unknown = item;
  for (const key of keys) value = indexOnce(value, key);
  return value;
}

function indexOnce(value: unknown, key: unknown): unknown {
  if (value instanceof Map) return mapEntry(value, key);
  if (typeof value !== 'string' && !Array.isArray(value)) {
    throw new FunctionError(value === null || value === undefined ? 'index of nil pointer' : `can't index item of type ${typeName(value)}`);
  }
  if (typeof key !== 'number' || !Number.isInteger(key)) {
    throw new FunctionError(key === null ? 'cannot index slice/array with nil' : `cannot index slice/array with type ${typeName(key)}`);
  }
  const items = typeof value === 'string' ? Buffer.from(value) : value;
  if (key < 0 || key > items.length) throw new FunctionError(`index out of range: ${key}`);
  // Go's own check lets the length pass; reflect then complains.
  if (key === items.length) throw new FunctionError(`reflect: ${typeof value === 'string' ? 'string' : 'slice'} index out of range`);
  return items[key] as unknown;
}

/** A key that is not there gives the zero value of the map's elements. */
function mapEntry(map: ReadonlyMap<unknown, unknown>, key: unknown): unknown {
  if (map.has(key)) return map.get(key);
  for (const value of map.values()) {
    if (typeof value === 'string') return '';
    if (Array.isArray(value)) return [];
  }
  return undefined;
}

function slice(item: unknown, bounds: readonly unknown[]): unknown {
  if (item === null || item === undefined) throw new FunctionError('slice of untyped nil');
  if (bounds.length > 3) throw new FunctionError(`too many slice indexes: ${bounds.length}`);
  if (typeof item !== 'string' && !Array.isArray(item)) throw new FunctionError(`can't slice item of type ${typeName(item)}`);
  if (typeof item === 'string' && bounds.length === 3) throw new FunctionError('cannot 3-index slice a string');
  const size = typeof item === 'string' ? byteLength(item) : item.length;
  const [from = 0, to = size, capacity = size] = bounds.map((bound) => checkBound(bound, size));
  if (from > to) throw new FunctionError(`invalid slice index: ${from} > ${to}`);
  if (to > capacity) throw new FunctionError(`invalid slice index: ${to} > ${capacity}`);
  return typeof item === 'string' ? substring(item, from, to) : item.slice(from, to);
}

function checkBound(bound: unknown, size: number): number {
  if (typeof bound !== 'number' || !Number.isInteger(bound))
    throw new FunctionError(`cannot index slice/array with type ${typeName(bound)}`);
  if (bound < 0 || bound > size) throw new FunctionError(`index out of range: ${bound}`);
  return bound;
}

function callValue(target: unknown, ...args: string[]): unknown {
  if (target === null || target === undefined) throw new FunctionError('call of nil');
  if (typeof target !== 'function') throw new FunctionError(`non-function ${formatValue(target)} of type ${typeName(target)}`);
  return (target as (...args: readonly string[]) => unknown)(...args);
}

function isEqualToAny(left: unknown, others: readonly unknown[]): boolean {
  if (others.length === 0) throw new FunctionError('missing argument for comparison');
  return others.some((other) => isEqual(left, other));
}

function isEqual(left: unknown, right: unknown): boolean {
  for (const value of [left, right]) {
    if (Array.isArray(value) || value instanceof Map) {
      throw new FunctionError(`non-comparable type ${formatValue(value)}: ${typeName(value)}`);
    }
  }
  if (isNil(left) || isNil(right)) return isNil(left) && isNil(right);
  const kinds = [kindOf(left), kindOf(right)];
  if (kinds[0] !== kinds[1]) throw new FunctionError(`incompatible types for comparison: ${typeName(left)} and ${typeName(right)}`);
  if (left instanceof GoFloat || right instanceof GoFloat) return floatOf(left) === floatOf(right);
  if (typeof left === 'bigint' || typeof right === 'bigint') return BigInt(left as number) === BigInt(right as number);
  return left === right || (isStruct(left) && isStruct(right) && formatValue(left) === formatValue(right));
}

function compare(left: unknown, right: unknown): number {
  const [leftKind, rightKind] = [kindOf(left), kindOf(right)];
  if (!ORDERED.has(leftKind) || !ORDERED.has(rightKind)) throw new FunctionError('invalid type for comparison');
  if (leftKind !== rightKind) throw new FunctionError(`incompatible types for comparison: ${typeName(left)} and ${typeName(right)}`);
  if (typeof left === 'string') return compareText(left, right as string);
  if (leftKind === 'float') return floatOf(left) - floatOf(right);
  return (left as number) < (right as number) ? -1 : (left as number) > (right as number) ? 1 : 0;
}

const ORDERED: ReadonlySet<string> = new Set(['string', 'int', 'float']);

function kindOf(value: unknown): string {
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float';
  if (value instanceof GoFloat) return 'float';
  return typeof value === 'object' ? 'struct' : typeof value;
}

function floatOf(value: unknown): number {
  return value instanceof GoFloat ? value.value : (value as number);
}

function isNil(value: unknown): boolean {
  return value === null || value === undefined;
}

/** strings.Title: letters that follow no letter, digit, underscore or other character beyond ASCII. */
function titleCase(text: string): string {
  return text.replaceAll(/(?<![\p{L}\p{Nd}_]|[^\p{ASCII}\s])\p{L}/gu, (char) => char.toUpperCase());
}

function padWith(text: string, before: number, after: number): string {
  if (text === '') return text;
  if (before < 0 || after < 0) throw new FunctionError('strings: negative Repeat count');
  if (before + after > LONGEST) throw new FunctionError('strings: Repeat output length overflow');
  return ' '.repeat(before) + text + ' '.repeat(after);
}

function byteLength(text: string): number {
  return Buffer.byteLength(text);
}

/** By bytes, as Go slices strings; a character cut in two becomes U+FFFD. */
function substring(text: string, from: number, to: number): string {
  if (to < from) throw new FunctionError(`runtime error: slice bounds out of range [:${to}]`);
  return Buffer.from(text).subarray(from, to).toString();
}
