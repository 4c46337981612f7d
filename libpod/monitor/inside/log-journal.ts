import { encodeJournalMessage } from '../../../core/journal.ts';
import { sendToJournal } from '../../../host/journal-socket.ts';
import type { LogStream } from '../../container/log-record.ts';
import { type ContainerLog, piecesOf } from './container-log.ts';
import type { MonitorTask } from './task.ts';

/** A line that is longer goes in parts. */
const LINE_BYTES = 8192;
const SHORT_ID = 12;
const PRIORITIES = { stdout: '6', stderr: '3' } as const;

/** conmon's fields. What the journal does not take is dropped: the container goes on. */
export class JournalLog implements ContainerLog {
  readonly #fields: Readonly<Record<string, string>>;
  readonly #begun = new Map<LogStream, Buffer>();

  constructor({ id, name, log: { tag } }: MonitorTask) {
    this.#fields = {
      CONTAINER_ID_FULL: id,
      CONTAINER_ID: id.slice(0, SHORT_ID),
      CONTAINER_NAME: name,
      SYSLOG_IDENTIFIER: tag ?? name,
      ...(tag === undefined ? {} : { CONTAINER_TAG: tag }),
    };
  }

  write(stream: LogStream, bytes: Buffer): void {
    for (const { text, partial } of piecesOf(bytes)) {
      const line = Buffer.concat([this.#begun.get(stream) ?? Buffer.alloc(0), text]);
      this.#begun.delete(stream);
      if (partial && line.length < LINE_BYTES) this.#begun.set(stream, line);
      else this.#send(stream, line, partial);
    }
  }

  end(): void {
    for (const [stream, line] of this.#begun) this.#send(stream, line, true);
  }

  reopen(): void {}

  #send(stream: LogStream, line: Buffer, partial: boolean): void {
    const message = encodeJournalMessage({
      MESSAGE: line,
      PRIORITY: PRIORITIES[stream],
      ...this.#fields,
      ...(partial ? { CONTAINER_PARTIAL_MESSAGE: 'true' } : {}),
    });
    try {
      sendToJournal(message);
    } catch {}
  }
}
