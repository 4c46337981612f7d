/** JSON as Go writes it: which characters are escaped, and how two of its encoders indent. */
import { GoFloat, GoStruct, NIL_LIST, sortedEntries } from './template/value.ts';
import { GoTime } from './template/time.ts';

export interface JsonStyle {
  /** One level of indentation; '' keeps all on one line. */
  readonly indent: string;
  /** `<`, `>` and `&` as \u003c … (Go's default). */
  readonly escapeHtml: boolean;
  /**
   * Podman prints ps, info and volume ls with another encoder (jsoniter): an empty object spans two lines with a blank one between,
   * and an array or object inside a map is indented as if it stood alone.
   */
  readonly loose: boolean;
}

/** The `json` function of templates, and `--format json` of history, events and version. */
export const COMPACT: JsonStyle = { indent: '', escapeHtml: false, loose: false };
export const COMPACT_ESCAPED: JsonStyle = { indent: '', escapeHtml: true, loose: false };
/** images, search, system df. */
export const FOUR_SPACES: JsonStyle = { indent: '    ', escapeHtml: true, loose: false };
/** mount. */
export const ONE_SPACE: JsonStyle = { indent: ' ', escapeHtml: true, loose: false };
/** inspect of every kind, diff. */
export const FIVE_SPACES: JsonStyle = { indent: '     ', escapeHtml: false, loose: false };
/** ps, info, volume ls, network ls. */
export const LOOSE: JsonStyle = { indent: '  ', escapeHtml: true, loose: true };

/**
 * Undefined fields and functions are left out; a Map is written with sorted keys; bigints keep all their digits.
 * Objects are written in the order of their keys, so a view decides the order. No newline at the end.
 */
export function encodeJson(value: unknown, style: JsonStyle): string {
  return encode(value, style, '');
}

function encode(value: unknown, style: JsonStyle, margin: string): string {
  if (value === null || value === undefined || value === NIL_LIST) return 'null';
  if (typeof value === 'string') return encodeString(value, style.escapeHtml);
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (typeof value === 'number') return encodeNumber(value);
  if (value instanceof GoFloat) return encodeNumber(value.value);
  if (value instanceof GoTime) return `"${value.toJSON()}"`;
  if (typeof value !== 'object') return 'null';
  if (Array.isArray(value)) {
    return wrap(
      '[',
      value.map((item) => encode(item, style, margin + style.indent)),
      ']',
      style,
      margin,
    );
  }
  if (value instanceof GoStruct && value.json !== undefined) return encode(value.json, style, margin);
  return encodeObject(value, style, margin);
}

function encodeObject(value: object, style: JsonStyle, margin: string): string {
  const isMap = value instanceof Map;
  const entries = isMap
    ? sortedEntries(value).map(([key, item]): [string, unknown] => [String(key), item])
    : Object.entries(value instanceof GoStruct ? value.fields : value);
  const innerMargin = isMap && style.loose ? '' : margin + style.indent;
  const members = entries
    .filter(([, item]) => item !== undefined && typeof item !== 'function')
    .map(([key, item]) => `${encodeString(key, style.escapeHtml)}:${style.indent === '' ? '' : ' '}${encode(item, style, innerMargin)}`);
  if (members.length === 0 && style.loose) return `{\n${margin}${style.indent}\n${margin}}`;
  return wrap('{', members, '}', style, margin);
}

function wrap(open: string, parts: readonly string[], close: string, style: JsonStyle, margin: string): string {
  if (parts.length === 0) return open + close;
  if (style.indent === '') return open + parts.join(',') + close;
  const inner = margin + style.indent;
  return `${open}\n${inner}${parts.join(`,\n${inner}`)}\n${margin}${close}`;
}

/** encoding/json writes exponents outside 1e-6 … 1e21, as JavaScript does. */
function encodeNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : 'null';
}

const HTML = /[<>&]/g;
const SEPARATORS = /[\u2028\u2029]/g;

function encodeString(text: string, escapeHtml: boolean): string {
  const plain = JSON.stringify(text.toWellFormed()).replaceAll(SEPARATORS, unicodeEscape);
  return escapeHtml ? plain.replaceAll(HTML, unicodeEscape) : plain;
}

function unicodeEscape(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
