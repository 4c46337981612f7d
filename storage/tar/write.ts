/** Tar headers for archives of our own: ustar, with a PAX header in front only where ustar cannot say it. */
import { BLOCK_BYTES, paddingBytes, type TarEntry, type TarType } from './entry.ts';
import { formatPaxRecord, XATTR_PREFIX } from './pax.ts';

/** Everything that stands before the body. The body must be followed by `paddingFor(sizeBytes)`. */
export function encodeEntry(entry: TarEntry): Buffer {
  const records = paxRecords(entry);
  if (records.length === 0) return ustarBlock(entry, FLAGS[entry.type]);
  const body = Buffer.concat(records);
  const described = { ...entry, path: paxName(entry.path), linkPath: EMPTY, mode: 0o644, uid: 0, gid: 0, sizeBytes: body.length };
  return Buffer.concat([ustarBlock(described, 'x'), body, paddingFor(body.length), ustarBlock(entry, FLAGS[entry.type])]);
}

export function paddingFor(sizeBytes: number): Buffer {
  return ZEROES.subarray(0, paddingBytes(sizeBytes));
}

/** Two zero blocks. */
export function endOfArchive(): Buffer {
  return ZEROES;
}

const ZEROES = Buffer.alloc(2 * BLOCK_BYTES);
const EMPTY = Buffer.alloc(0);
const FLAGS: Readonly<Record<TarType, string>> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  directory: '5',
  fifo: '6',
};

const MAX_ID = 0o7777777;
const MAX_SIZE = 0o77777777777;

/** Sorted, so that the same entry always gives the same bytes. */
function paxRecords(entry: TarEntry): Buffer[] {
  const records: [string, Buffer | string][] = [];
  if (splitName(entry.path) === undefined) records.push(['path', entry.path]);
  if (entry.linkPath.length > 100 || !isAscii(entry.linkPath)) records.push(['linkpath', entry.linkPath]);
  if (entry.sizeBytes > MAX_SIZE) records.push(['size', String(entry.sizeBytes)]);
  if (entry.uid > MAX_ID) records.push(['uid', String(entry.uid)]);
  if (entry.gid > MAX_ID) records.push(['gid', String(entry.gid)]);
  if (entry.mtime.nanoseconds !== 0 || entry.mtime.seconds < 0 || entry.mtime.seconds > MAX_SIZE)
    records.push(['mtime', formatTime(entry.mtime)]);
  if (entry.userName !== undefined && !fitsName(entry.userName)) records.push(['uname', entry.userName]);
  if (entry.groupName !== undefined && !fitsName(entry.groupName)) records.push(['gname', entry.groupName]);
  for (const [name, value] of entry.xattrs) records.push([XATTR_PREFIX + name, value]);
  return records.toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => formatPaxRecord(key, value));
}

function ustarBlock(entry: TarEntry, flag: string): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES);
  const { prefix, name } = splitName(entry.path) ?? { prefix: EMPTY, name: entry.path.subarray(0, 100) };
  name.copy(block, 0);
  writeOctal(block, 100, 8, entry.mode & 0o7777);
  writeOctal(block, 108, 8, entry.uid > MAX_ID ? 0 : entry.uid);
  writeOctal(block, 116, 8, entry.gid > MAX_ID ? 0 : entry.gid);
  writeOctal(block, 124, 12, entry.sizeBytes > MAX_SIZE ? 0 : entry.sizeBytes);
  writeOctal(block, 136, 12, Math.min(Math.max(entry.mtime.seconds, 0), MAX_SIZE));
  block.write(flag, 156, 'latin1');
  entry.linkPath.copy(block, 157, 0, 100);
  block.write('ustar\x0000', 257, 'latin1');
  block.write(fitsName(entry.userName ?? '') ? (entry.userName ?? '') : '', 265, 31, 'latin1');
  block.write(fitsName(entry.groupName ?? '') ? (entry.groupName ?? '') : '', 297, 31, 'latin1');
  if (entry.type === 'char' || entry.type === 'block') {
    writeOctal(block, 329, 8, entry.device.major);
    writeOctal(block, 337, 8, entry.device.minor);
  }
  prefix.copy(block, 345);
  block.fill(0x20, 148, 156);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return block;
}

function writeOctal(block: Buffer, offset: number, length: number, value: number): void {
  block.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
}

/** Where the name goes in ustar: at most 100 bytes, or 155 + `/` + 100. Undefined when it needs PAX. */
function splitName(path: Buffer): { prefix: Buffer; name: Buffer } | undefined {
  if (!isAscii(path)) return undefined;
  if (path.length <= 100) return { prefix: EMPTY, name: path };
  for (let slash = path.indexOf(0x2f, path.length - 101); slash !== -1 && slash <= 155; slash = path.indexOf(0x2f, slash + 1)) {
    if (slash > 0 && slash < path.length - 1) return { prefix: path.subarray(0, slash), name: path.subarray(slash + 1) };
  }
  return undefined;
}

function isAscii(bytes: Buffer): boolean {
  return bytes.every((byte) => byte < 0x80);
}

function fitsName(text: string): boolean {
  return /^[ -~]{0,31}$/.test(text);
}

/** The name of the PAX header itself only matters to readers that do not know PAX. */
function paxName(path: Buffer): Buffer {
  const base = path.subarray(path.lastIndexOf(0x2f, path.length - 2) + 1);
  return Buffer.concat([
    Buffer.from('PaxHeaders.0/'),
    Buffer.from(
      base
        .toString('latin1')
        .replace(/[^!-~]/g, '_')
        .slice(0, 80),
    ),
  ]);
}

function formatTime(time: TarEntry['mtime']): string {
  if (time.nanoseconds === 0) return String(time.seconds);
  const negative = time.seconds < 0;
  const seconds = negative ? -time.seconds - 1 : time.seconds;
  const fraction = String(negative ? 1e9 - time.nanoseconds : time.nanoseconds)
    .padStart(9, '0')
    .replace(/0+$/, '');
  return `${negative ? '-' : ''}${seconds}.${fraction}`;
}
