/** JSON documents (inspect, info, version) as templates see them: Go's field names and types, which the JSON does not tell. */
import { GoTime } from './template/time.ts';
import { GoStruct, NIL_LIST } from './template/value.ts';

/** What a kind of document has that its JSON does not show. All tables go by the JSON key, wherever it stands. */
export interface DocumentShape {
  /** Of the document itself, shown in errors. */
  readonly type: string;
  /** JSON key → Go type of the struct (or of the structs in the list or map) under it. */
  readonly types: Readonly<Record<string, string>>;
  /** Keys whose objects are maps: asking them for something missing is no error. */
  readonly maps: ReadonlySet<string>;
  /** Keys of lists: where JSON has null, templates see an empty one. */
  readonly lists: ReadonlySet<string>;
  /** Keys whose strings are times. */
  readonly times: ReadonlySet<string>;
  /** JSON key → field name. */
  readonly fieldName: (key: string) => string;
  /** By Go type: fields that JSON leaves out when they are empty, and other names by which templates ask for fields. */
  readonly defaults: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly aliases: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** The document is not changed; `{{json .X}}` gives its own keys back. */
export function documentData(document: object, shape: DocumentShape): GoStruct {
  return struct(document, shape.type, shape);
}

function convert(value: unknown, key: string, shape: DocumentShape): unknown {
  if (typeof value === 'string') return shape.times.has(key) ? (GoTime.parse(value) ?? value) : value;
  if (value === null) return shape.maps.has(key) ? new Map() : shape.lists.has(key) ? NIL_LIST : null;
  if (Array.isArray(value)) return value.map((item) => convert(item, key, shape));
  if (typeof value !== 'object') return value;
  if (!shape.maps.has(key)) return struct(value, shape.types[key] ?? ANONYMOUS, shape);
  return new Map(Object.entries(value).map(([name, item]) => [name, convertMember(item, key, shape)]));
}

/** A map's values have the type named for the map; an object among them is a struct. */
function convertMember(value: unknown, key: string, shape: DocumentShape): unknown {
  if (value === null) return shape.lists.has(key) ? NIL_LIST : null;
  if (Array.isArray(value)) return value.map((item) => convertMember(item, key, shape));
  return typeof value === 'object' ? struct(value, shape.types[key] ?? ANONYMOUS, shape) : value;
}

function struct(document: object, type: string, shape: DocumentShape): GoStruct {
  const entries = Object.entries(document).map(([key, value]): [string, unknown] => [shape.fieldName(key), convert(value, key, shape)]);
  const fields: Readonly<Record<string, unknown>> = { ...own(shape.defaults, type), ...Object.fromEntries(entries) };
  const aliases = Object.entries(own(shape.aliases, type)).map(([alias, field]) => [alias, () => fields[field]]);
  return new GoStruct(type, fields, { methods: Object.fromEntries(aliases), json: withSortedMaps(document, '', shape) });
}

const ANONYMOUS = 'struct {}';

/** Go writes maps with sorted keys, structs in the order of their fields. */
function withSortedMaps(value: unknown, key: string, shape: DocumentShape): unknown {
  if (Array.isArray(value)) return value.map((item) => withSortedMaps(item, '', shape));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => [name, withSortedMaps(item, name, shape)]);
  return shape.maps.has(key) ? new Map(entries) : Object.fromEntries(entries);
}

function own<T>(table: Readonly<Record<string, Readonly<Record<string, T>>>>, name: string): Readonly<Record<string, T>> {
  return Object.hasOwn(table, name) ? table[name]! : {};
}
