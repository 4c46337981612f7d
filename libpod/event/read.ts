/** The events of a store that are kept in systemd's journal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { followJournal, type JournalQuery, readJournal } from '../../host/journal.ts';
import type { Engine } from '../engine.ts';
import type { EventRequest } from '../events.ts';
import type { ToldEvent } from '../state/events.ts';
import { EVENT_FIELDS, eventOf, STORE_FIELD } from './journal.ts';

/** A timer of Node's can wait no longer than this. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** Perhaps some more than asked for. Throws HELPER_MISSING, HELPER_FAILED. */
export async function* journaledEvents(engine: Engine, { follow, sinceNs, untilNs }: EventRequest): AsyncGenerator<ToldEvent, void> {
  const fromNow = follow && sinceNs === undefined && untilNs === undefined;
  const nowNs = BigInt(Date.now()) * 1_000_000n;
  const query: JournalQuery = {
    matches: { [STORE_FIELD]: engine.paths.store, _UID: String(engine.identity.uid) },
    fields: EVENT_FIELDS,
    sinceNs: fromNow ? nowNs : sinceNs,
  };
  const batches = follow ? followJournal(query, (signal) => moment(untilNs, signal)) : readJournal(query);
  for await (const entries of batches) {
    for (const entry of entries) {
      const event = eventOf(entry);
      if (event !== undefined && !(fromNow && event.timeNs < nowNs)) yield event;
    }
  }
}

/** Resolves when it has come, never without one; at the latest when nobody waits any more. */
async function moment(untilNs: bigint | undefined, signal: AbortSignal): Promise<void> {
  try {
    for (;;) {
      const leftMs = untilNs === undefined ? LONGEST_WAIT_MS : Number(untilNs / 1_000_000n) - Date.now() + 1;
      if (leftMs <= 0) return;
      await sleep(Math.min(leftMs, LONGEST_WAIT_MS), undefined, { signal });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
