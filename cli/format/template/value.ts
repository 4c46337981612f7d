/**
 * The data a template sees, in Go's terms.
 * null is nil and undefined is "no value"; numbers are int where whole, float64 elsewhere; arrays are slices, a Map is a map;
 * a plain object is a struct: its own keys are the fields (asking for another is an error), a function among them is a method.
 * Only own properties are ever looked at, so nothing is reachable through a prototype.
 */
import { compareText } from '../../../core/compare-text.ts';
import { GoTime } from './time.ts';

/** A float64 that may happen to be whole. */
export class GoFloat {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

/** A nil slice: empty, and null in JSON. */
export const NIL_LIST: readonly never[] = Object.freeze([]);

/** A struct with a Go type name (it is shown in errors), methods beside its fields, and a document of its own for `json`. */
export class GoStruct {
  readonly type: string;
  #fields: Fields | (() => Fields);
  readonly methods: Methods;
  /** Fields of embedded structs can be named as if they were this struct's own. */
  readonly embedded: readonly string[];
  readonly #json: unknown;

  /** `fields` and `json` may be functions, called when first asked for: most rows of a list are only asked for a method or two. */
  constructor(
    type: string,
    fields: Fields | (() => Fields),
    options: { methods?: Methods; embedded?: readonly string[]; json?: unknown } = {},
  ) {
    this.type = type;
    this.#fields = fields;
    this.methods = options.methods ?? {};
    this.embedded = options.embedded ?? [];
    this.#json = options.json;
  }

  get fields(): Fields {
    if (typeof this.#fields === 'function') this.#fields = this.#fields();
    return this.#fields;
  }

  /** Undefined: the fields are the document. */
  get json(): unknown {
    return typeof this.#json === 'function' ? (this.#json as () => unknown)() : this.#json;
  }
}

type Fields = Readonly<Record<string, unknown>>;
export type Method = (...args: readonly string[]) => unknown;
type Methods = Readonly<Record<string, Method>>;

export type Member =
  | { readonly kind: 'field'; readonly value: unknown }
  | { readonly kind: 'method'; readonly call: Method }
  | { readonly kind: 'none' };

/** The field or method of a struct; methods come first, embedded structs last. */
export function memberOf(value: object, name: string): Member {
  if (value instanceof GoTime) {
    const call = value.method(name);
    return call ? { kind: 'method', call } : { kind: 'none' };
  }
  if (!(value instanceof GoStruct)) return ownMember(value as Readonly<Record<string, unknown>>, name);
  if (Object.hasOwn(value.methods, name)) return { kind: 'method', call: value.methods[name]! };
  const own = ownMember(value.fields, name);
  if (own.kind !== 'none') return own;
  for (const part of value.embedded) {
    const inner = value.fields[part];
    const member: Member = isStruct(inner) ? memberOf(inner, name) : { kind: 'none' };
    if (member.kind !== 'none') return member;
  }
  return { kind: 'none' };
}

function ownMember(fields: Readonly<Record<string, unknown>>, name: string): Member {
  if (!Object.hasOwn(fields, name)) return { kind: 'none' };
  const value = fields[name];
  return typeof value === 'function' ? { kind: 'method', call: value as Method } : { kind: 'field', value };
}

/** True for everything with fields: plain objects, GoStruct, GoTime. */
export function isStruct(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map) && !(value instanceof GoFloat);
}

/** The values a struct prints, in order; methods are not data. */
export function structFields(value: object): [string, unknown][] {
  const fields = value instanceof GoStruct ? value.fields : value;
  return Object.entries(fields).filter(([, field]) => typeof field !== 'function');
}

/** The keys of a map as Go prints and ranges over them. */
export function sortedEntries(map: ReadonlyMap<unknown, unknown>): [unknown, unknown][] {
  return [...map].toSorted(([a], [b]) => (typeof a === 'number' && typeof b === 'number' ? a - b : compareText(String(a), String(b))));
}

/** Go's truth: false, 0, "", nil and empty collections are false; a struct is always true. */
export function isTrue(value: unknown): boolean {
  if (value === null || value === undefined || value === false || value === '' || value === 0 || value === 0n) return false;
  if (value instanceof GoFloat) return value.value !== 0;
  if (Array.isArray(value)) return value.length > 0;
  return value instanceof Map ? value.size > 0 : true;
}

/** The type's name as reflect prints it. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return '<nil>';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'bigint') return 'int64';
  if (typeof value === 'number') return Number.isInteger(value) ? 'int' : 'float64';
  if (typeof value === 'function') return 'func()';
  if (value instanceof GoFloat) return 'float64';
  if (value instanceof GoTime) return 'time.Time';
  if (value instanceof GoStruct) return value.type;
  if (Array.isArray(value)) return `[]${elementType(value)}`;
  return value instanceof Map ? `map[string]${elementType([...value.values()])}` : 'interface {}';
}

function elementType(values: readonly unknown[]): string {
  const [first] = values;
  const type = typeName(first);
  const isUniform = first !== undefined && first !== null && values.every((value) => typeName(value) === type);
  return isUniform ? type : values.length === 0 ? 'string' : 'interface {}';
}
