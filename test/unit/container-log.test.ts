import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonLine, LineJoiner, linesBackwards, type LogStream, parseLogRecord, tailStart } from '../../libpod/container/log-record.ts';

const STAMP = '2026-11-22T04:00:07.846943862+00:00';

interface Written {
  readonly stream: LogStream;
  readonly partial: boolean;
  readonly text: string;
}

const text = fc.string({ maxLength: 40 }).map((words) => words.replaceAll('\n', ' '));
const record = fc.record({ stream: fc.constantFrom<LogStream>('stdout', 'stderr'), partial: fc.boolean(), text });
const whole = record.map((one): Written => ({ ...one, partial: false }));
const onOneStream = record.map((one): Written => ({ ...one, stream: 'stdout' }));

function logFile(records: readonly Written[]): Buffer {
  return Buffer.from(records.map(({ stream, partial, text: words }) => `${STAMP} ${stream} ${partial ? 'P' : 'F'} ${words}\n`).join(''));
}

/** What a reader sees, pieces of a line put together; a last line without its newline counts. */
function shownLines(records: readonly Written[]): string[] {
  const joiner = new LineJoiner();
  const lines: string[] = [];
  for (const one of records) {
    const chunk = joiner.push({ stamp: STAMP, stream: one.stream, partial: one.partial, text: Buffer.from(one.text) });
    if (chunk.startsLine) lines.push(one.text);
    else lines.push(`${lines.pop()}${one.text}`);
  }
  return lines;
}

function tail(file: Buffer, count: number, blockBytes: number): number {
  const read = (offset: number, length: number): Buffer => file.subarray(offset, offset + length);
  return tailStart(linesBackwards(file.length, read, blockBytes), count, file.length);
}

function recordsFrom(file: Buffer, offset: number): Written[] {
  const lines = file.subarray(offset).toString().split('\n').slice(0, -1);
  return lines.map((line) => {
    const { stream, partial, text: bytes } = parseLogRecord(Buffer.from(line))!;
    return { stream, partial, text: bytes.toString() };
  });
}

describe('records of a k8s-file log', () => {
  test('a record is its time, stream, whether it is a part, and its bytes', () => {
    const line = Buffer.concat([Buffer.from(`${STAMP} stderr P `), Buffer.of(0xff, 0x20, 0x00)]);
    expect(parseLogRecord(line)).toEqual({ stamp: STAMP, stream: 'stderr', partial: true, text: Buffer.of(0xff, 0x20, 0x00) });
    expect(parseLogRecord(Buffer.from(`${STAMP} stdout F \n`))).toMatchObject({ partial: false, text: Buffer.alloc(0) });
  });

  test.each(['', 'words', `${STAMP} stdout`, `${STAMP} stdin F x`, `${STAMP} stdout X x`])('%j is no record', (line) => {
    expect(parseLogRecord(Buffer.from(line))).toBeUndefined();
  });

  test('what is written is what is read', () => {
    fc.assert(
      fc.property(fc.array(record), (records) => {
        expect(recordsFrom(logFile(records), 0)).toEqual(records);
      }),
    );
  });

  test('pieces of a line on one stream are one line, whatever the other stream says meanwhile', () => {
    const joiner = new LineJoiner();
    const starts = (stream: LogStream, partial: boolean) =>
      joiner.push({ stamp: STAMP, stream, partial, text: Buffer.alloc(0) }).startsLine;
    expect([
      starts('stdout', true),
      starts('stderr', false),
      starts('stdout', true),
      starts('stdout', false),
      starts('stdout', false),
    ]).toEqual([true, true, false, false, true]);
  });
});

describe('the end of a log', () => {
  test('read backwards, the lines are those of the file, wherever blocks end', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 30 })), fc.integer({ min: 1, max: 50 }), (words, blockBytes) => {
        const file = Buffer.from(words.map((line) => `${line.replaceAll('\n', ' ')}\n`).join(''));
        const read = (offset: number, length: number): Buffer => file.subarray(offset, offset + length);
        const backwards = [...linesBackwards(file.length, read, blockBytes)].toReversed();
        expect(Buffer.concat(backwards.map(({ line }) => line))).toEqual(file);
        for (const { offset, line } of backwards) expect(file.subarray(offset, offset + line.length)).toEqual(line);
        expect(backwards).toHaveLength(words.length);
      }),
    );
  });

  test('the last lines of two streams of whole records are the last records', () => {
    fc.assert(
      fc.property(fc.array(whole), fc.nat(60), fc.integer({ min: 1, max: 300 }), (records, count, blockBytes) => {
        const file = logFile(records);
        expect(recordsFrom(file, tail(file, count, blockBytes))).toEqual(count === 0 ? [] : records.slice(-count));
      }),
    );
  });

  test('the last lines of one stream are whole lines, of however many pieces', () => {
    fc.assert(
      fc.property(fc.array(onOneStream), fc.nat(20), fc.integer({ min: 1, max: 300 }), (records, count, blockBytes) => {
        const file = logFile(records);
        const lines = shownLines(records);
        expect(shownLines(recordsFrom(file, tail(file, count, blockBytes)))).toEqual(count === 0 ? [] : lines.slice(-count));
      }),
    );
  });

  test('no more of the file is read than the lines asked for need', () => {
    const records = Array.from({ length: 10_000 }, (_, number): Written => ({ stream: 'stdout', partial: false, text: `line ${number}` }));
    const file = logFile(records);
    let readBytes = 0;
    const read = (offset: number, length: number): Buffer => {
      readBytes += length;
      return file.subarray(offset, offset + length);
    };
    const start = tailStart(linesBackwards(file.length, read), 3, file.length);
    expect(recordsFrom(file, start).map(({ text: words }) => words)).toEqual(['line 9997', 'line 9998', 'line 9999']);
    expect(readBytes).toBeLessThan(70_000);
  });
});

describe('json-file', () => {
  test('a record of conmon is written as Docker writes it', () => {
    const written = (line: string) => jsonLine(parseLogRecord(Buffer.from(line))!);
    expect(written('2026-11-22T04:00:07.120000000+02:00 stderr F a "b"\n')).toBe(
      '{"log":"a \\"b\\"\\n","stream":"stderr","time":"2026-11-22T02:00:07.12Z"}\n',
    );
    expect(written(`${STAMP} stdout P half\n`)).toContain('"log":"half",');
  });

  test('what was written is read back', () => {
    fc.assert(
      fc.property(record, ({ text: words, ...rest }) => {
        const one = { ...rest, stamp: '2026-11-22T04:00:07.846943862Z', text: Buffer.from(words.toWellFormed()) };
        expect(parseLogRecord(Buffer.from(jsonLine(one)))).toEqual(one);
      }),
    );
  });

  test.each([
    '{',
    '{}',
    '{"log":1,"stream":"stdout","time":"x"}',
    '{"log":"","stream":"other","time":"x"}',
    '{"log":"a\\n","stream":"stdout"}',
  ])('no record: %s', (line) => {
    expect(parseLogRecord(Buffer.from(line))).toBeUndefined();
  });
});
