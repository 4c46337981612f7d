/** The log of a container whose driver is `journald`: conmon's messages in systemd's journal. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerId } from '../../core/id.ts';
import { type JournalEntry, receivedAt, textOf } from '../../core/journal.ts';
import { parseStamp } from '../../core/moment.ts';
import { followJournal, type JournalQuery, readJournal } from '../../host/journal.ts';
import type { Engine } from '../engine.ts';
import type { ContainerRecord } from '../state/containers.ts';
import { LineJoiner, type LogChunk, type LogRecord, NEWLINE, TailCounter } from './log-record.ts';
import { isPast, type LogRequest, LOOK_EVERY_MS, stillRuns, timeTest } from './log-request.ts';

/** Throws HELPER_MISSING, HELPER_FAILED. */
export async function* readJournalLog(
  engine: Engine,
  record: ContainerRecord,
  request: LogRequest,
): AsyncGenerator<readonly LogChunk[], void> {
  if (request.follow !== true) await wordsArrived(engine, engine.containers.get(record.id) ?? record);
  const all: JournalQuery = { matches: matchesOf(engine, 'CONTAINER_ID_FULL', record.id), fields: LOG_FIELDS };
  const wanted = request.tail === undefined ? { ...all, sinceNs: request.sinceNs } : await tailOf(all, request.tail);
  const joiner = new LineJoiner();
  const isWanted = timeTest(request);
  const batches =
    request.follow === true
      ? followJournal(wanted, (signal) => containerEnd(engine, record, request.untilNs, signal))
      : readJournal(wanted);
  for await (const entries of batches) {
    yield entries.flatMap((entry) => {
      const one = logRecord(entry);
      return isWanted(one.stamp) ? [joiner.push(one)] : [];
    });
  }
}

const LOG_FIELDS = ['MESSAGE', 'PRIORITY', 'CONTAINER_PARTIAL_MESSAGE'] as const;
const STDERR_PRIORITY = '3';

/** Anybody may write to the journal; who it was journald knows. */
function matchesOf(engine: Engine, field: string, id: ContainerId): Readonly<Record<string, string>> {
  return { [field]: id, _UID: String(engine.identity.uid) };
}

/** Pure. A newer conmon leaves the newline of a whole line where it is. */
export function logRecord(entry: JournalEntry): LogRecord {
  const message = entry.get('MESSAGE') ?? Buffer.alloc(0);
  const partial = textOf(entry, 'CONTAINER_PARTIAL_MESSAGE') === 'true';
  const text = !partial && message.at(-1) === NEWLINE ? message.subarray(0, -1) : message;
  return { stamp: stampOf(receivedAt(entry)), stream: textOf(entry, 'PRIORITY') === STDERR_PRIORITY ? 'stderr' : 'stdout', partial, text };
}

function stampOf(timeNs: bigint): string {
  const seconds = new Date(Number(timeNs / 1_000_000n)).toISOString().slice(0, 19);
  return `${seconds}.${String(timeNs % 1_000_000_000n).padStart(9, '0')}Z`;
}

/** What begins with the last `count` lines that are there now. */
async function tailOf(query: JournalQuery, count: number): Promise<JournalQuery> {
  const tail = new TailCounter(count);
  let from: string | undefined;
  for await (const entries of readJournal({ ...query, backwards: true })) {
    for (const entry of entries) {
      const cursor = textOf(entry, '__CURSOR');
      if (!tail.takes(logRecord(entry))) return from === undefined ? { ...query, after: cursor } : { ...query, from };
      from = cursor;
    }
  }
  return { ...query, from };
}

/** Resolves when there will be no more to read, or when nobody reads any more. */
async function containerEnd(engine: Engine, record: ContainerRecord, untilNs: bigint | undefined, signal: AbortSignal): Promise<void> {
  let last = record;
  while (!signal.aborted && !isPast(untilNs)) {
    last = engine.containers.get(record.id) ?? last;
    if (!(await stillRuns(engine, record))) {
      await wordsArrived(engine, engine.containers.get(record.id) ?? { ...last, finishedMs: Date.now() });
      return;
    }
    await sleep(LOOK_EVERY_MS);
  }
}

/** After this long what was sent has arrived, or never will. */
const ARRIVAL_MS = 3000;
const LOOK_AGAIN_MS = 20;

/**
 * Wait until journald has taken in all of an ended container's words: it takes messages in the order in which they were sent, and the last that
 * is sent of a run is that it ended. Returns at once for one that runs, never ran, or ended some time ago.
 */
async function wordsArrived(engine: Engine, { id, startedMs, finishedMs }: ContainerRecord): Promise<void> {
  if (startedMs === undefined || finishedMs === undefined) return;
  const query = { matches: { ...matchesOf(engine, 'PODMAN_ID', id), PODMAN_EVENT: 'died' }, fields: ['PODMAN_TIME'], backwards: true };
  while (Date.now() < finishedMs + ARRIVAL_MS) {
    const died = await newest(query);
    const time = died && parseStamp(textOf(died, 'PODMAN_TIME') ?? '');
    if (time !== undefined && time >= BigInt(startedMs) * 1_000_000n) return;
    await sleep(LOOK_AGAIN_MS);
  }
}

async function newest(query: JournalQuery): Promise<JournalEntry | undefined> {
  for await (const [entry] of readJournal(query)) if (entry !== undefined) return entry;
  return undefined;
}
