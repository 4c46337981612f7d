/**
 * The process that writes a json-file log: conmon's records come on stdin, the log is descriptor 3, the arguments are its path and its largest
 * size in bytes (or ''). It ends when nobody holds the pipe any more. What cannot be written (a full disk) is dropped: the container goes on.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { jsonLine, NEWLINE, parseLogRecord } from '../container/log-record.ts';

const READ_BYTES = 65_536;

const [path = '', largest = ''] = process.argv.slice(2);
const maxBytes = largest === '' ? Infinity : Number(largest);
let fd = 3;
let size = fstatSync(fd).size;

const block = Buffer.allocUnsafe(READ_BYTES);
let rest: Buffer = Buffer.alloc(0);
for (let length = readSync(0, block); length > 0; length = readSync(0, block)) {
  const bytes = Buffer.concat([rest, block.subarray(0, length)]);
  let start = 0;
  let text = '';
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const record = parseLogRecord(bytes.subarray(start, end));
    start = end + 1;
    if (record === undefined) continue;
    const line = jsonLine(record);
    if (size + Buffer.byteLength(text) + Buffer.byteLength(line) > maxBytes) {
      write(text);
      text = '';
      beginAnew();
    }
    text += line;
  }
  rest = bytes.subarray(start);
  write(text);
}

function write(text: string): void {
  const bytes = Buffer.from(text);
  try {
    for (let written = 0; written < bytes.length;) written += writeSync(fd, bytes, written);
    size += bytes.length;
  } catch {}
}

/** As conmon does it: an empty file takes the place of the full one, and who reads that sees it to its end. */
function beginAnew(): void {
  try {
    const fresh = openSync(`${path}.new`, 'w', 0o640);
    renameSync(`${path}.new`, path);
    closeSync(fd);
    fd = fresh;
    size = 0;
  } catch {}
}
