/** PAX extended headers (pax(1), "pax Extended Header"): `LENGTH KEY=VALUE\n`, values kept as bytes. */
import type { TarTime } from './entry.ts';
import { malformedTar } from './malformed.ts';

/** Later records of the same key win; an empty value takes an earlier one back. Throws IMAGE_CORRUPT. */
export function parsePax(bytes: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let offset = 0; offset < bytes.length;) {
    const space = bytes.indexOf(0x20, offset);
    const digits = bytes.toString('latin1', offset, space === -1 ? bytes.length : Math.min(space, offset + 8));
    const end = offset + Number(digits);
    if (space === -1 || !/^[1-9]\d*$/.test(digits) || end <= space + 1 || end > bytes.length || bytes[end - 1] !== 0x0a) {
      throw malformedTar('invalid tar header', 'a PAX record has a bad length');
    }
    const equals = bytes.indexOf(0x3d, space + 1);
    if (equals === -1 || equals >= end || equals === space + 1) throw malformedTar('invalid tar header', 'a PAX record has no key');
    const key = bytes.toString('utf8', space + 1, equals);
    const value = bytes.subarray(equals + 1, end - 1);
    checkRecord(key, value);
    if (value.length === 0 && !key.startsWith(XATTR_PREFIX)) records.delete(key);
    else records.set(key, value);
    offset = end;
  }
  return records;
}

export const XATTR_PREFIX = 'SCHILY.xattr.';

/** A whole number ≥ 0 of at most 2^53. Throws IMAGE_CORRUPT. */
export function paxNumber(value: Buffer, key: string): number {
  const text = value.toString('latin1');
  const number = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (!Number.isSafeInteger(number)) throw malformedTar('invalid tar header', `PAX ${key} is out of range`);
  return number;
}

/** `1700000000.123456789`, `-1.5`. Digits beyond nanoseconds are cut. Throws IMAGE_CORRUPT. */
export function paxTime(value: Buffer, key: string): TarTime {
  const match = /^(-?)(\d{1,12})(?:\.(\d*))?$/.exec(value.toString('latin1'));
  if (!match) throw malformedTar('invalid tar header', `PAX ${key} is no time`);
  const whole = Number(match[2]);
  const fraction = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (match[1] === '') return { seconds: whole, nanoseconds: fraction };
  return fraction === 0 ? { seconds: -whole, nanoseconds: 0 } : { seconds: -whole - 1, nanoseconds: 1e9 - fraction };
}

/** One record with its own length in front, which counts itself. */
export function formatPaxRecord(key: string, value: Buffer | string): Buffer {
  const body = Buffer.concat([Buffer.from(` ${key}=`), typeof value === 'string' ? Buffer.from(value) : value, Buffer.from('\n')]);
  let length = body.length + String(body.length).length;
  if (String(length).length !== String(body.length).length) length = body.length + String(length).length;
  return Buffer.concat([Buffer.from(String(length)), body]);
}

const NAMES = new Set(['path', 'linkpath', 'uname', 'gname']);

function checkRecord(key: string, value: Buffer): void {
  if (key.includes('\0') || (NAMES.has(key) && value.includes(0))) throw malformedTar('invalid tar header', 'a PAX name holds a NUL');
  if (key.startsWith('GNU.sparse.')) throw malformedTar('unsupported', 'sparse files (GNU.sparse) cannot be read');
}
