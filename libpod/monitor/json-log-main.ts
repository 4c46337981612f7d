/**
 * The process that writes a json-file log: conmon's records come on stdin, the log is descriptor 3, the arguments are its path and its largest
 * size in bytes (or ''). It ends when nobody holds the pipe any more. What cannot be written (a full disk) is dropped: the container goes on.
 */
import { closeSync, fstatSync, openSync, readSync, renameSync, writeSync } from 'node:fs';
import { jsonLine, LineJoiner, LineSplitter, parseLogRecord } from '../container/log-record.ts';

const READ_BYTES = 65_536;

const [path = '', largest = ''] = process.argv.slice(2);
const maxBytes = largest === '' ? Infinity : Number(largest);
let fd = 3;
let size = fstatSync(fd).size;

/** Left for the rest of a line: a log is begun anew between lines, if they are not longer than this. */
const room = Math.min(READ_BYTES, maxBytes / 10);

const joiner = new LineJoiner();
const block = Buffer.allocUnsafe(READ_BYTES);
const splitter = new LineSplitter();
for (let length = readSync(0, block); length > 0; length = readSync(0, block)) {
  let ready: Buffer[] = [];
  let readyBytes = 0;
  for (const line of splitter.push(block.subarray(0, length))) {
    const record = parseLogRecord(line);
    if (record === undefined) continue;
    const bytes = Buffer.from(jsonLine(record));
    const total = size + readyBytes + bytes.length;
    const isDue = total > maxBytes || (joiner.isBetweenLines && total + room > maxBytes);
    joiner.push(record);
    if (isDue) {
      write(Buffer.concat(ready));
      ready = [];
      readyBytes = 0;
      beginAnew();
    }
    ready.push(bytes);
    readyBytes += bytes.length;
  }
  write(Buffer.concat(ready));
}

function write(bytes: Buffer): void {
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
