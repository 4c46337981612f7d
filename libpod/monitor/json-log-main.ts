/**
 * The process that writes a json-file log: conmon's records come on stdin, the log is descriptor 3, the arguments are its path and its largest
 * size in bytes (or ''). It ends when nobody holds the pipe any more.
 */
import { readSync } from 'node:fs';
import { jsonLine, LineSplitter, parseLogRecord } from '../container/log-record.ts';
import { LogFile } from './log-file.ts';

const READ_BYTES = 65_536;

const [path = '', largest = ''] = process.argv.slice(2);
const log = new LogFile(path, 3, largest === '' ? Infinity : Number(largest));
const block = Buffer.allocUnsafe(READ_BYTES);
const splitter = new LineSplitter();
for (let length = readSync(0, block); length > 0; length = readSync(0, block)) {
  for (const line of splitter.push(block.subarray(0, length))) {
    const record = parseLogRecord(line);
    if (record !== undefined) log.add(record, Buffer.from(jsonLine(record)));
  }
  log.flush();
}
