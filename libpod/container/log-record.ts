/**
 * The formats of log files, one record a line. k8s-file: `TIME stdout|stderr F|P text`; `P` says that the text goes on in the next record of its
 * stream: conmon writes what it has read, and a read need not end at a newline. json-file, as Docker writes it: an object with `log`, `stream`
 * and `time`; a `log` without a newline at its end goes on.
 */
import { formatStamp, parseStamp } from '../../core/moment.ts';
import { isRecord } from '../../core/json.ts';

export type LogStream = 'stdout' | 'stderr';

export interface LogRecord {
  /** RFC 3339 with nanoseconds, as written. */
  readonly stamp: string;
  readonly stream: LogStream;
  readonly partial: boolean;
  /** Without the newline; what a container prints need not be UTF-8. */
  readonly text: Buffer;
}

const HEADER = /^(\S+) (stdout|stderr) ([FP]) /;
/** RFC 3339 is at most 35 characters, then stream and tag. */
const HEADER_BYTES = 64;

/** Of either format. `line` may end with its newline. Undefined for what is no record: a line that was cut when the machine went down. */
export function parseLogRecord(line: Buffer): LogRecord | undefined {
  return line[0] === BRACE ? parseJson(line) : parseK8s(line);
}

/** In the format of k8s-file, with its newline. */
export function k8sLine({ stamp, stream, partial, text }: LogRecord): Buffer {
  return Buffer.concat([Buffer.from(`${stamp} ${stream} ${partial ? 'P' : 'F'} `), text, Buffer.of(NEWLINE)]);
}

/** In Docker's json-file format, with its newline. What is not UTF-8 cannot be kept there: U+FFFD takes its place, as Docker has it. */
export function jsonLine({ stamp, stream, partial, text }: LogRecord): string {
  const nanos = parseStamp(stamp);
  const log = `${text.toString()}${partial ? '' : '\n'}`;
  return `${JSON.stringify({ log, stream, time: nanos === undefined ? stamp : formatStamp(nanos) })}\n`;
}

function parseJson(line: Buffer): LogRecord | undefined {
  const value = parsed(line.toString());
  if (!isRecord(value)) return undefined;
  const { log, stream, time } = value;
  if (typeof log !== 'string' || typeof time !== 'string' || (stream !== 'stdout' && stream !== 'stderr')) return undefined;
  const partial = !log.endsWith('\n');
  return { stamp: time, stream, partial, text: Buffer.from(partial ? log : log.slice(0, -1)) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function parseK8s(line: Buffer): LogRecord | undefined {
  const match = HEADER.exec(line.subarray(0, HEADER_BYTES).toString('latin1'));
  if (!match) return undefined;
  const end = line.at(-1) === NEWLINE ? line.length - 1 : line.length;
  return { stamp: match[1]!, stream: match[2] as LogStream, partial: match[3] === 'P', text: line.subarray(match[0].length, end) };
}

export interface PlacedLine {
  readonly offset: number;
  readonly line: Buffer;
}

/**
 * Where the last `count` lines begin, given the records from the last one backwards. Several records that make up one line count once.
 * Takes no more records than it needs. `end`: where the log ends, the answer for no lines.
 */
export function tailStart(records: Iterable<PlacedLine>, count: number, end: number): number {
  const tail = new TailCounter(count);
  let start = end;
  for (const { offset, line } of records) {
    if (!tail.takes(parseLogRecord(line))) return start;
    start = offset;
  }
  return start;
}

/** Which records the last `count` lines of a log are made of, going backwards. */
export class TailCounter {
  readonly #seen = new Set<LogStream>();
  #left: number;

  constructor(count: number) {
    this.#left = count;
  }

  /** False for the first that belongs to an earlier line. One that is no record counts as a line. */
  takes(record: Pick<LogRecord, 'partial' | 'stream'> | undefined): boolean {
    const continues = record?.partial === true && this.#seen.has(record.stream);
    if (!continues && this.#left-- === 0) return false;
    if (record) this.#seen.add(record.stream);
    return true;
  }
}

const BLOCK_BYTES = 65_536;
export const NEWLINE = 0x0a;
const BRACE = 0x7b;

/** The lines of a file before `end`, the last one first, each with its newline. `read` gives the bytes of a range. */
export function* linesBackwards(
  end: number,
  read: (offset: number, length: number) => Buffer,
  blockBytes = BLOCK_BYTES,
): Generator<PlacedLine, void> {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = end; at > 0;) {
    const from = Math.max(0, at - blockBytes);
    rest = Buffer.concat([read(from, at - from), rest]);
    at = from;
    for (;;) {
      const newline = rest.length < 2 ? -1 : rest.lastIndexOf(NEWLINE, rest.length - 2);
      if (newline < 0) break;
      yield { offset: at + newline + 1, line: rest.subarray(newline + 1) };
      rest = rest.subarray(0, newline + 1);
    }
  }
  if (rest.length > 0) yield { offset: 0, line: rest };
}

/** Blocks of a log come in, whole lines come out, each without its newline. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(block: Buffer): Buffer[] {
    const bytes = Buffer.concat([this.#rest, block]);
    const lines: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(bytes.subarray(start, end));
      start = end + 1;
    }
    this.#rest = bytes.subarray(start);
    return lines;
  }
}

export interface LogChunk extends LogRecord {
  /** The first of its line: a prefix goes before it. */
  readonly startsLine: boolean;
}

/** Puts records of one log together to lines: tells for each whether it begins one. */
export class LineJoiner {
  readonly #open = new Set<LogStream>();

  /** The next record begins a line, whatever its stream. */
  get isBetweenLines(): boolean {
    return this.#open.size === 0;
  }

  push(record: LogRecord): LogChunk {
    const startsLine = !this.#open.has(record.stream);
    if (record.partial) this.#open.add(record.stream);
    else this.#open.delete(record.stream);
    return { ...record, startsLine };
  }
}
