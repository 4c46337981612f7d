/** `events`: a line of text, of JSON, or data for a template, per event. */
import { shortId } from '../../../core/id.ts';
import { eventWords } from '../../../libpod/event/words.ts';
import type { EventRecord } from '../../../libpod/summary.ts';
import { localTime } from '../human.ts';
import { COMPACT_ESCAPED, encodeJson } from '../json.ts';
import { GoTime } from '../template/time.ts';
import { GoStruct } from '../template/value.ts';

/** `2026-11-22 03:45:40.614 +0000 UTC container create ID (image=…, name=…, label=value)`, without a newline. */
export function formatEvent(event: EventRecord, noTrunc: boolean): string {
  const id = event.id === undefined || noTrunc ? event.id : shortId(event.id);
  return `${localTime(event.time).toString()} ${eventWords(event, id ?? '')}`;
}

/** `--format json`: one line per event, without a newline. */
export function eventJson(event: EventRecord): string {
  return encodeJson(document(event), COMPACT_ESCAPED);
}

/** For formatOne('events', …). */
export function eventData(event: EventRecord): GoStruct {
  const nanos = nanosOf(event);
  const attributes = new Map(Object.entries(event.attributes ?? {}));
  return new GoStruct(
    'system.Event',
    {
      ContainerExitCode: event.containerExitCode ?? null,
      ID: event.id ?? '',
      Image: event.image ?? '',
      Name: event.name ?? '',
      Network: event.network ?? '',
      Status: event.status,
      Time: nanos / 1_000_000_000n,
      TimeNano: nanos,
      Type: event.type,
      HealthStatus: event.healthStatus ?? '',
      Error: event.error ?? '',
      Details: new GoStruct('events.Details', { PodID: event.podId ?? '', ContainerInspectData: '', Attributes: attributes }),
    },
    { embedded: ['Details'], json: document(event) },
  );
}

function document(event: EventRecord): Readonly<Record<string, unknown>> {
  const nanos = nanosOf(event);
  return {
    ContainerExitCode: event.containerExitCode,
    ID: event.id,
    Image: event.image,
    Name: event.name,
    network: event.network,
    Status: event.status,
    time: Number(nanos / 1_000_000_000n),
    timeNano: nanos,
    Type: event.type,
    PodID: event.podId,
    health_status: event.healthStatus,
    error: event.error,
    Attributes: event.attributes === null ? null : new Map(Object.entries(event.attributes)),
  };
}

function nanosOf(event: EventRecord): bigint {
  return (GoTime.parse(event.time) ?? GoTime.zero()).nanosSinceEpoch();
}
