/** What a container has printed, from its log, and what it prints from now on. */
import { passesStreamsThrough } from '../spec/container.ts';
import { closeSync, fstatSync, openSync, readSync, statSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';
import { EngineError } from '../../core/errors.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { LineJoiner, linesBackwards, LineSplitter, type LogChunk, parseLogRecord, tailStart } from './log-record.ts';
import { placesOf } from './places.ts';
import { isPast, type LogRequest, LOOK_EVERY_MS, stillRuns, timeTest } from './log-request.ts';

const READ_BYTES = 65_536;

/**
 * In the order of the log, as many at once as were there; pieces of a line come as they were written.
 * Throws NOT_SUPPORTED when the container keeps no log; HELPER_MISSING, HELPER_FAILED where it is in a journal that cannot be read.
 */
export async function* readLogs(engine: Engine, record: ContainerRecord, request: LogRequest): AsyncGenerator<readonly LogChunk[], void> {
  const { driver } = record.config.log;
  if (driver === 'none' || passesStreamsThrough(record.config)) {
    throw new EngineError(
      'NOT_SUPPORTED',
      `this container is using the '${driver}' log driver, cannot read logs: this container is not logging output`,
    );
  }
  if (driver === 'journald') yield* (await import('./log-journal.ts')).readJournalLog(engine, record, request);
  else yield* readLogFile(engine, record, request);
}

async function* readLogFile(engine: Engine, record: ContainerRecord, request: LogRequest): AsyncGenerator<readonly LogChunk[], void> {
  const { path, driver } = record.config.log;
  const isJson = driver === 'json-file';
  const joiner = new LineJoiner();
  const isWanted = timeTest(request);
  using news = request.follow ? watchFile(path) : undefined;
  using file = new GrowingFile(path, request.tail);
  for (;;) {
    // Looked at before the file is read to its end: what an ended container wrote is there by then.
    const runs = (news !== undefined || isJson) && (await stillRuns(engine, record));
    if (isJson && !runs) await (await import('../monitor/json-log.ts')).jsonLogWritten(placesOf(engine, record.id).run);
    const goesOn = news !== undefined && runs && !isPast(request.untilNs);
    for (const lines of file.newLines()) {
      yield lines.flatMap((line) => {
        const parsed = parseLogRecord(line);
        return parsed && isWanted(parsed.stamp) ? [joiner.push(parsed)] : [];
      });
    }
    if (!goesOn) return;
    await news.next(LOOK_EVERY_MS);
  }
}

/** A log file that is written to, and at times replaced by an empty one (`max-size`). It may not be there yet. */
class GrowingFile implements Disposable {
  readonly #path: string;
  #fd: number | undefined;
  #offset = 0;
  #splitter = new LineSplitter();

  constructor(path: string, tail: number | undefined) {
    this.#path = path;
    this.#fd = openIfThere(path);
    if (this.#fd !== undefined && tail !== undefined) this.#offset = offsetOfTail(this.#fd, tail);
  }

  /** Whole lines written since the last call, a block of the file at a time. */
  *newLines(): Generator<Buffer[], void> {
    yield* this.#toEnd();
    while (this.#wasReplaced()) {
      // The last words in the old file come before the first in the new one.
      yield* this.#toEnd();
      this[Symbol.dispose]();
      this.#fd = openIfThere(this.#path);
      this.#offset = 0;
      this.#splitter = new LineSplitter();
      yield* this.#toEnd();
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }

  *#toEnd(): Generator<Buffer[], void> {
    if (this.#fd === undefined) return;
    const block = Buffer.allocUnsafe(READ_BYTES);
    for (;;) {
      const length = readSync(this.#fd, block, 0, block.length, this.#offset);
      if (length === 0) return;
      this.#offset += length;
      yield this.#splitter.push(block.subarray(0, length));
    }
  }

  #wasReplaced(): boolean {
    const there = statSync(this.#path, { throwIfNoEntry: false });
    if (!there) return false;
    if (this.#fd === undefined) return true;
    const ours = fstatSync(this.#fd);
    return ours.ino !== there.ino || ours.dev !== there.dev;
  }
}

function openIfThere(path: string): number | undefined {
  try {
    return openSync(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function offsetOfTail(fd: number, count: number): number {
  const end = fstatSync(fd).size;
  const read = (offset: number, length: number): Buffer => {
    const block = Buffer.alloc(length);
    return block.subarray(0, readSync(fd, block, 0, length, offset));
  };
  return tailStart(linesBackwards(end, read), count, end);
}

/** Tells when something may have happened to a file, or a time has passed. */
interface FileNews extends Disposable {
  readonly next: (atMostMs: number) => Promise<void>;
}

function watchFile(path: string): FileNews {
  let wake: (() => void) | undefined;
  let isNew = false;
  const notice = (): void => {
    isNew = true;
    wake?.();
  };
  const watcher = watchDirectory(dirname(path), (name) => {
    if (name === null || name === basename(path)) notice();
  });
  return {
    next: async (atMostMs) => {
      if (!isNew) {
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, atMostMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      wake = undefined;
      isNew = false;
    },
    [Symbol.dispose]: () => watcher?.close(),
  };
}

/** Undefined where inotify has no room for more (or the directory is not there yet): then looking now and then must do. */
function watchDirectory(path: string, onChange: (name: string | null) => void): FSWatcher | undefined {
  try {
    const watcher = watch(path, (_event, name) => onChange(name));
    watcher.on('error', () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
