/** The events of a store as `events` shows them: which ones, and those to come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import type { Engine } from './engine.ts';
import { hasLabel } from './filters.ts';
import { eventRecord } from './event/record.ts';
import type { ToldEvent } from './state/events.ts';
import type { EventRecord } from './summary.ts';

export interface EventRequest {
  readonly filters: readonly string[];
  /** Nanoseconds since the epoch. Absent: from now on with `follow`, else from the first that is kept. */
  readonly sinceNs?: bigint | undefined;
  readonly untilNs?: bigint | undefined;
  /** Wait for more, until `untilNs` where there is one. */
  readonly follow: boolean;
}

/** How soon an event of another process is seen. */
const LOOK_EVERY_MS = 100;

/** In the order in which they happened. Throws before the first: INVALID_ARGUMENT (filters), NOT_SUPPORTED (none are kept), HELPER_* (journal). */
export async function* readEvents(engine: Engine, request: EventRequest): AsyncGenerator<EventRecord, void> {
  const { sinceNs, untilNs } = request;
  const test = eventTest(request.filters);
  for await (const event of await keptEvents(engine, request)) {
    const isInTime = (sinceNs === undefined || event.timeNs >= sinceNs) && (untilNs === undefined || event.timeNs <= untilNs);
    if (isInTime && test(event)) yield eventRecord(event);
  }
}

async function keptEvents(engine: Engine, request: EventRequest): Promise<AsyncIterable<ToldEvent>> {
  switch (engine.eventsBackend) {
    case 'file':
      return storedEvents(engine, request);
    case 'journald':
      return (await import('./event/read.ts')).journaledEvents(engine, request);
    case 'none':
      throw new EngineError('NOT_SUPPORTED', 'cannot read events with the "none" backend');
  }
}

async function* storedEvents(engine: Engine, { follow, sinceNs, untilNs }: EventRequest): AsyncGenerator<ToldEvent, void> {
  let seq = follow && sinceNs === undefined && untilNs === undefined ? engine.events.lastSeq() : 0;
  for (;;) {
    const isOver = !follow || (untilNs !== undefined && BigInt(Date.now()) * 1_000_000n > untilNs);
    for (const event of engine.events.after(seq)) {
      seq = event.seq;
      yield event;
    }
    if (isOver) return;
    await sleep(LOOK_EVERY_MS);
  }
}

export type EventTest = (event: ToldEvent) => boolean;

/** All keys must match; of several values of one key one is enough. Throws INVALID_ARGUMENT. */
export function eventTest(texts: readonly string[]): EventTest {
  const byKey = new Map<string, EventTest[]>();
  for (const text of texts) {
    const equals = text.indexOf('=');
    const key = equals < 0 ? text : text.slice(0, equals);
    const make = equals < 0 || !Object.hasOwn(TESTS, key.toLowerCase()) ? undefined : TESTS[key.toLowerCase()];
    if (make === undefined) throw new EngineError('INVALID_ARGUMENT', `failed to parse event filters: ${key} is an invalid filter`);
    byKey.set(key.toLowerCase(), [...(byKey.get(key.toLowerCase()) ?? []), make(text.slice(equals + 1))]);
  }
  const groups = [...byKey.values()];
  return (event) => groups.every((tests) => tests.some((test) => test(event)));
}

const TESTS: Readonly<Record<string, (value: string) => EventTest>> = {
  container: ofType('container'),
  event:
    (value) =>
    ({ status }) =>
      status === value,
  image: ofType('image'),
  label:
    (value) =>
    ({ attributes }) =>
      hasLabel(attributes, value),
  network: ofType('network'),
  pod: ofType('pod'),
  status:
    (value) =>
    ({ status }) =>
      status === value,
  type:
    (value) =>
    ({ type }) =>
      type === value,
  volume: ofType('volume'),
};

/** By name, or by the beginning of the id. */
function ofType(wanted: ToldEvent['type']): (value: string) => EventTest {
  return (value) =>
    ({ type, id, name }) =>
      type === wanted && (name === value || (value !== '' && id.startsWith(value)));
}
