/** The events of a store as `events` shows them: which ones, and those to come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { EngineError } from '../core/errors.ts';
import { formatStamp } from '../core/moment.ts';
import type { Engine } from './engine.ts';
import { hasLabel } from './filters.ts';
import type { EngineEvent } from './state/events.ts';
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

/** In the order in which they happened. Throws INVALID_ARGUMENT (filters) before the first. */
export async function* readEvents(engine: Engine, request: EventRequest): AsyncGenerator<EventRecord, void> {
  const test = eventTest(request.filters);
  const { sinceNs, untilNs } = request;
  const fromNow = request.follow && sinceNs === undefined && untilNs === undefined;
  let seq = fromNow ? engine.events.lastSeq() : 0;
  for (;;) {
    const isOver = !request.follow || (untilNs !== undefined && BigInt(Date.now()) * 1_000_000n > untilNs);
    for (const event of engine.events.after(seq)) {
      seq = event.seq;
      const isInTime = (sinceNs === undefined || event.timeNs >= sinceNs) && (untilNs === undefined || event.timeNs <= untilNs);
      if (isInTime && test(event)) yield eventRecord(event);
    }
    if (isOver) return;
    await sleep(LOOK_EVERY_MS);
  }
}

export type EventTest = (event: EngineEvent) => boolean;

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
function ofType(wanted: EngineEvent['type']): (value: string) => EventTest {
  return (value) =>
    ({ type, id, name }) =>
      type === wanted && (name === value || (value !== '' && id.startsWith(value)));
}

/** Pure. */
export function eventRecord(event: EngineEvent): EventRecord {
  const { type, status, id, name, image, exitCode, attributes } = event;
  const hasId = id !== '' && type !== 'volume';
  const hasAttributes = type === 'container' || Object.keys(attributes).length > 0;
  return {
    time: formatStamp(event.timeNs),
    type,
    status,
    ...(hasId && { id }),
    ...(name !== '' && (type === 'network' ? { network: name } : { name })),
    ...(image !== '' && { image }),
    ...(exitCode !== undefined && { containerExitCode: exitCode }),
    ...(event.health && { healthStatus: event.health.status, healthFailingStreak: event.health.failingStreak }),
    attributes: hasAttributes ? attributes : null,
  };
}
