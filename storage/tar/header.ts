/** The 512 bytes before each member: v7, ustar (POSIX.1-1988), star and GNU (see tar(5) of libarchive). */
import { BLOCK_BYTES, type TarType } from './entry.ts';
import { malformedTar } from './malformed.ts';

/** A header block taken apart; PAX records and GNU long names are merged by the parser. */
export interface TarHeader {
  /** The type byte as a character; `0` also stands for v7's NUL. */
  readonly flag: string;
  readonly name: Buffer;
  readonly linkName: Buffer;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly sizeBytes: number;
  readonly mtimeSeconds: number;
  readonly userName: string;
  readonly groupName: string;
  readonly major: number;
  readonly minor: number;
}

export const TYPE_OF_FLAG: Readonly<Record<string, TarType>> = {
  '0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'directory',
  '6': 'fifo',
  '7': 'file',
};

/** Take a header block apart. `at` is its offset in the archive, for messages. Throws IMAGE_CORRUPT. */
export function parseHeader(block: Buffer, at: number): TarHeader {
  if (!hasValidChecksum(block)) throw malformedTar('invalid tar header', `bad checksum at byte ${at}`);
  const format = formatOf(block);
  const named = format !== 'v7';
  const number = (offset: number, length: number, field: string) => parseNumber(block.subarray(offset, offset + length), field, at);
  const name = joinPrefix(block, format);
  return {
    flag: flagOf(block[156]!, name),
    name,
    linkName: copy(cString(block, 157, 100)),
    mode: number(100, 8, 'mode') & 0o7777,
    uid: number(108, 8, 'uid'),
    gid: number(116, 8, 'gid'),
    sizeBytes: number(124, 12, 'size'),
    mtimeSeconds: number(136, 12, 'mtime'),
    userName: named ? cString(block, 265, 32).toString('utf8') : '',
    groupName: named ? cString(block, 297, 32).toString('utf8') : '',
    major: named ? number(329, 8, 'major') : 0,
    minor: named ? number(337, 8, 'minor') : 0,
  };
}

const ZERO_BLOCK = Buffer.alloc(BLOCK_BYTES);

export function isZeroBlock(block: Buffer): boolean {
  return ZERO_BLOCK.equals(block);
}

type Format = 'v7' | 'ustar' | 'star' | 'gnu';

function formatOf(block: Buffer): Format {
  const magic = block.toString('latin1', 257, 265);
  if (magic === 'ustar  \0') return 'gnu';
  if (!magic.startsWith('ustar\0')) return 'v7';
  return block.toString('latin1', 508, 512) === 'tar\0' ? 'star' : 'ustar';
}

const PREFIX_BYTES: Readonly<Record<Format, number>> = { v7: 0, gnu: 0, star: 131, ustar: 155 };

/** Field contents are copied: the block belongs to a chunk that is gone with the next read. */
function joinPrefix(block: Buffer, format: Format): Buffer {
  const name = cString(block, 0, 100);
  const prefix = cString(block, 345, PREFIX_BYTES[format]);
  return prefix.length === 0 ? copy(name) : Buffer.concat([prefix, Buffer.from('/'), name]);
}

function flagOf(byte: number, name: Buffer): string {
  if (byte !== 0) return String.fromCharCode(byte);
  return name.at(-1) === 0x2f ? '5' : '0';
}

/** Unsigned as POSIX wants it, or signed as some old writers summed. The checksum's own field counts as spaces. */
function hasValidChecksum(block: Buffer): boolean {
  let unsigned = 8 * 0x20;
  let high = 0;
  for (let index = 0; index < BLOCK_BYTES; index++) {
    if (index === 148) index = 156;
    const byte = block[index]!;
    unsigned += byte;
    if (byte > 127) high++;
  }
  const stated = octal(block.subarray(148, 156));
  return stated === unsigned || (high > 0 && stated === unsigned - 256 * high);
}

/** Octal digits, or base-256 when the first bit is set (GNU, star). Throws when negative, over 2^53, or no number. */
function parseNumber(field: Buffer, name: string, at: number): number {
  const first = field[0]!;
  const value = (first & 0x80) === 0 ? octal(field) : base256(field);
  if (value === undefined) throw malformedTar('invalid tar header', `${name} is no number at byte ${at}`);
  const negativeAllowed = name === 'mtime';
  if (!Number.isSafeInteger(value) || (value < 0 && !negativeAllowed)) {
    throw malformedTar('invalid tar header', `${name} out of range at byte ${at}`);
  }
  return value;
}

/** Undefined for anything but octal digits padded with spaces and NULs; 0 for an empty field. */
function octal(field: Buffer): number | undefined {
  let start = 0;
  let end = field.length;
  const isPadding = (byte: number) => byte === 0 || byte === 0x20;
  while (start < end && isPadding(field[start]!)) start++;
  while (end > start && isPadding(field[end - 1]!)) end--;
  let value = 0;
  for (let index = start; index < end; index++) {
    const byte = field[index]!;
    if (byte === 0) break;
    if (byte < 0x30 || byte > 0x37) return undefined;
    value = value * 8 + (byte - 0x30);
  }
  return value;
}

function base256(field: Buffer): number {
  const negative = (field[0]! & 0x40) !== 0;
  let value = negative ? (field[0]! | 0x80) - 256 : field[0]! & 0x3f;
  for (let index = 1; index < field.length; index++) value = value * 256 + field[index]!;
  return value;
}

function cString(block: Buffer, offset: number, length: number): Buffer {
  const field = block.subarray(offset, offset + length);
  const end = field.indexOf(0);
  return end === -1 ? field : field.subarray(0, end);
}

function copy(bytes: Buffer): Buffer {
  return Buffer.from(bytes);
}
