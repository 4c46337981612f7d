import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';
import { EngineError } from '../../core/errors.ts';
import { systemWords } from '../../core/system-words.ts';
import { LineJoiner, type LogRecord } from '../container/log-record.ts';

/** What is there already stays. Throws INVALID_ARGUMENT. */
export function openLogFile(path: string): number {
  try {
    return openSync(path, 'a', 0o640);
  } catch (cause) {
    throw new EngineError('INVALID_ARGUMENT', `open ${path}: ${systemWords(cause)}`, { cause });
  }
}

/** Left for the rest of a line at most: a log is begun anew between lines, if they are not longer than this. */
const MOST_ROOM_BYTES = 65_536;

/**
 * A log file that does not outgrow its largest size: then it is begun anew, as conmon does it. An empty file takes the place of the full one, and
 * who reads that sees it to its end. What cannot be written (a full disk) is dropped: the container goes on.
 */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #room: number;
  readonly #joiner = new LineJoiner();
  #fd: number;
  #size: number;
  #ready: Buffer[] = [];
  #readyBytes = 0;

  constructor(path: string, fd: number, maxBytes = Infinity) {
    this.#path = path;
    this.#fd = fd;
    this.#maxBytes = maxBytes;
    this.#room = Math.min(MOST_ROOM_BYTES, maxBytes / 10);
    this.#size = fstatSync(fd).size;
  }

  /** `bytes`: the record as it is written, with the next `flush`. */
  add(record: LogRecord, bytes: Buffer): void {
    const total = this.#size + this.#readyBytes + bytes.length;
    const isDue = total > this.#maxBytes || (this.#joiner.isBetweenLines && total + this.#room > this.#maxBytes);
    this.#joiner.push(record);
    if (isDue) {
      this.flush();
      this.#beginAnew();
    }
    this.#ready.push(bytes);
    this.#readyBytes += bytes.length;
  }

  flush(): void {
    const bytes = Buffer.concat(this.#ready);
    this.#ready = [];
    this.#readyBytes = 0;
    try {
      for (let written = 0; written < bytes.length;) written += writeSync(this.#fd, bytes, written);
      this.#size += bytes.length;
    } catch {}
  }

  /** Somebody has moved the file away. */
  reopen(): void {
    try {
      this.#goOnWith(openSync(this.#path, 'a', 0o640));
    } catch {}
  }

  #beginAnew(): void {
    try {
      const fresh = openSync(`${this.#path}.new`, 'w', 0o640);
      renameSync(`${this.#path}.new`, this.#path);
      this.#goOnWith(fresh);
    } catch {}
  }

  #goOnWith(fd: number): void {
    closeSync(this.#fd);
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
  }
}
