import { type LogRecord, type LogStream, NEWLINE } from '../../container/log-record.ts';

export interface ContainerLog {
  write(stream: LogStream, bytes: Buffer): void;
  /** The container has ended, and all is written. */
  end(): void;
  reopen(): void;
}

/** Lines without their newlines; the last is partial where there was none. */
export function piecesOf(bytes: Buffer): Pick<LogRecord, 'text' | 'partial'>[] {
  const pieces: Pick<LogRecord, 'text' | 'partial'>[] = [];
  for (let start = 0; start < bytes.length;) {
    const newline = bytes.indexOf(NEWLINE, start);
    const end = newline < 0 ? bytes.length : newline;
    pieces.push({ text: bytes.subarray(start, end), partial: newline < 0 });
    start = end + 1;
  }
  return pieces;
}
