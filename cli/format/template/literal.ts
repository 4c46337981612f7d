/** Go's literals: quoted strings, characters and numbers. */
import type { NumberNode } from './nodes.ts';

/** strconv.Unquote for `"…"`, and `…` in backquotes. Undefined where Go says "invalid syntax". */
export function unquote(quoted: string): string | undefined {
  if (quoted.startsWith('`')) return quoted.slice(1, -1).replaceAll('\r', '');
  return unescape(quoted.slice(1, -1), '"');
}

/** `'a'`, `'\n'`: the code point, or undefined if it is not exactly one character. */
export function unquoteRune(quoted: string): number | undefined {
  const text = unescape(quoted.slice(1, -1), "'");
  const point = text?.codePointAt(0);
  return point !== undefined && text === String.fromCodePoint(point) ? point : undefined;
}

/** A numeric constant; a string is the error Go gives for it. */
export function parseNumber(text: string, at: number): NumberNode | string {
  const floating = !/^[+-]?0[xX]/.test(text) && /[.eE]/.test(text);
  const int = parseInt64(text);
  if (typeof int !== 'undefined') return { kind: 'number', at, text, ...constant(int), floating: false };
  if (!isDecimalFloat(text)) return `illegal number syntax: ${JSON.stringify(text)}`;
  const float = Number(text.replaceAll('_', ''));
  if (!Number.isFinite(float)) return `illegal number syntax: ${JSON.stringify(text)}`;
  if (!floating) return `integer overflow: ${JSON.stringify(text)}`;
  return { kind: 'number', at, text, float, ...(Number.isSafeInteger(float) ? { int: float } : {}), floating };
}

const INT64_MAX = 2n ** 63n - 1n;
/** Of 64 bits, in binary with underscores; more cannot be an int. */
const LONGEST_INT = 140;

/** Beyond int64 the text still parses (as uint64); using it as an int is an error of execution, told by the absence of `int`. */
function constant(value: bigint): { int?: number | bigint; float?: number } {
  if (value > INT64_MAX) return { float: Number(value) };
  const number = Number(value);
  return { int: Number.isSafeInteger(number) ? number : value, float: number };
}

function parseInt64(text: string): bigint | undefined {
  const sign = text.startsWith('-') ? -1n : 1n;
  const body = text.replace(/^[+-]/, '');
  if (body.length > LONGEST_INT) return undefined;
  if (!areUnderscoresBetweenDigits(body)) return undefined;
  const plain = body.replaceAll('_', '').toLowerCase();
  const octal = /^0[0-7]+$/.test(plain) ? `0o${plain.slice(1)}` : plain;
  if (!/^(0x[0-9a-f]+|0o[0-7]+|0b[01]+|0|[1-9]\d*)$/.test(octal)) return undefined;
  const value = sign * BigInt(octal);
  return value >= -INT64_MAX - 1n && value < 2n ** 64n && (sign > 0n || value <= 0n) ? value : undefined;
}

function isDecimalFloat(text: string): boolean {
  return /^[+-]?(\d[\d_]*(\.[\d_]*)?|\.\d[\d_]*)([eE][+-]?\d+)?$/.test(text) && areUnderscoresBetweenDigits(text.replace(/^[+-]/, ''));
}

function areUnderscoresBetweenDigits(text: string): boolean {
  return !/__|_$|^_|_\.|\._|_[eE]/.test(text);
}

const SIMPLE: Readonly<Record<string, string>> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\' };
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Escapes of bytes (`\x`, octal) above 127 would make broken UTF-8 in Go; here each stands for the code point. */
function unescape(body: string, quote: string): string | undefined {
  let out = '';
  for (let at = 0; at < body.length; at++) {
    const char = body[at]!;
    if (char === quote || char === '\n') return undefined;
    if (char !== '\\') {
      out += char;
      continue;
    }
    const mark = body[++at] ?? '';
    const simple = Object.hasOwn(SIMPLE, mark) ? SIMPLE[mark] : mark === quote ? quote : undefined;
    const hexLength = Object.hasOwn(HEX_LENGTH, mark) ? HEX_LENGTH[mark]! : 0;
    if (simple !== undefined) out += simple;
    else if (hexLength > 0) {
      const hex = body.slice(at + 1, at + 1 + hexLength);
      const point = new RegExp(`^[0-9a-fA-F]{${hexLength}}$`).test(hex) ? Number.parseInt(hex, 16) : Infinity;
      if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) return undefined;
      out += String.fromCodePoint(point);
      at += hexLength;
    } else if (/^[0-3][0-7]{2}$/.test(body.slice(at, at + 3))) {
      out += String.fromCharCode(Number.parseInt(body.slice(at, at + 3), 8));
      at += 2;
    } else return undefined;
  }
  return out;
}
