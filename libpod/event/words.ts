import { compareText } from '../../core/compare-text.ts';
import type { EventRecord } from '../summary.ts';

/** `container create ID (image=…, name=…, label=value)`: an event in a line of text, without its time. `id`: as it is to be shown. */
export function eventWords(event: EventRecord, id: string): string {
  return [event.type, event.status, ...wordsOf(event, id)].filter((word) => word !== '').join(' ');
}

function wordsOf(event: EventRecord, id: string): readonly string[] {
  switch (event.type) {
    case 'container':
    case 'pod':
      return [id, `(${details(event).join(', ')})`];
    case 'network':
      return [id, `(${networkDetails(event).join(', ')})`];
    case 'image':
      return [id, event.name ?? '', event.error ?? ''];
    case 'secret':
      return [id];
    default:
      return [event.name ?? ''];
  }
}

function networkDetails({ network = '', attributes }: EventRecord): readonly string[] {
  const container = attributes?.['container'];
  if (container !== undefined) return [`container=${container}`, `name=${network}`];
  return [`name=${network}`, `type=${attributes?.['driver'] ?? ''}`];
}

function details(event: EventRecord): readonly string[] {
  const labels = Object.entries(event.attributes ?? {}).toSorted(([a], [b]) => compareText(a, b));
  return [
    `image=${event.image ?? ''}`,
    `name=${event.name ?? ''}`,
    ...(event.podId === undefined ? [] : [`pod_id=${event.podId}`]),
    ...healthDetails(event),
    ...labels.map(([key, value]) => `${key}=${value}`),
  ];
}

function healthDetails(event: EventRecord): readonly string[] {
  if (event.healthStatus === undefined) return [];
  return [
    `health_status=${event.healthStatus}`,
    `health_failing_streak=${event.healthFailingStreak ?? 0}`,
    `health_log=${event.healthLog ?? ''}`,
  ];
}
