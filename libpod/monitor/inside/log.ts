/** The log of a container as its monitor writes it: what comes at once has one time, and a piece that does not end with a newline is partial. */
import { wallClock } from '../../../host/clock.ts';
import { jsonLine, k8sLine, type LogRecord, type LogStream } from '../../container/log-record.ts';
import { LogFile, openLogFile } from '../log-file.ts';
import { type ContainerLog, piecesOf } from './container-log.ts';
import { JournalLog } from './log-journal.ts';
import type { MonitorTask } from './task.ts';

/** Undefined where none is kept. Throws INVALID_ARGUMENT. */
export function openLog(task: MonitorTask): ContainerLog | undefined {
  const { driver, path, maxSizeBytes } = task.log;
  if (task.passesThrough || driver === 'none') return undefined;
  if (driver === 'journald') return new JournalLog(task);
  const file = new LogFile(path, openLogFile(path), maxSizeBytes);
  return new FileLog(file, driver === 'json-file' ? (record) => Buffer.from(jsonLine(record)) : k8sLine);
}

class FileLog implements ContainerLog {
  readonly #file: LogFile;
  readonly #format: (record: LogRecord) => Buffer;

  constructor(file: LogFile, format: (record: LogRecord) => Buffer) {
    this.#file = file;
    this.#format = format;
  }

  write(stream: LogStream, bytes: Buffer): void {
    const stamp = stampNow();
    for (const { text, partial } of piecesOf(bytes)) {
      const record = { stamp, stream, partial, text };
      this.#file.add(record, this.#format(record));
    }
    this.#file.flush();
  }

  end(): void {}

  reopen(): void {
    this.#file.reopen();
  }
}

/** RFC 3339 in local time, with nanoseconds. */
function stampNow(): string {
  const [seconds, nanoseconds] = wallClock();
  const offsetMinutes = -new Date(seconds * 1000).getTimezoneOffset();
  const local = new Date((seconds + offsetMinutes * 60) * 1000).toISOString().slice(0, 19);
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${local}.${String(nanoseconds).padStart(9, '0')}${offsetMinutes < 0 ? '-' : '+'}${hours}:${minutes}`;
}
