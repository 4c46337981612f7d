/** Events as messages of systemd's journal, with Podman's fields and one of ours that says whose they are. Pure. */
import { isRecord } from '../../core/json.ts';
import { formatStamp, parseStamp } from '../../core/moment.ts';
import { type JournalEntry, textOf } from '../../core/journal.ts';
import type { ToldEvent } from '../state/events.ts';
import { eventRecord } from './record.ts';
import { eventWords } from './words.ts';

/** The journal is one for all: events of another store, or of Podman, are not ours. */
export const STORE_FIELD = 'LICHEN_STORE';

/** What is read back. */
export const EVENT_FIELDS = [
  'PODMAN_TIME',
  'PODMAN_TYPE',
  'PODMAN_EVENT',
  'PODMAN_ID',
  'PODMAN_NAME',
  'PODMAN_NETWORK_NAME',
  'PODMAN_IMAGE',
  'PODMAN_EXIT_CODE',
  'PODMAN_LABELS',
  'PODMAN_HEALTH_STATUS',
  'PODMAN_HEALTH_FAILING_STREAK',
  'PODMAN_HEALTH_LOG',
] as const;

type EventField = (typeof EVENT_FIELDS)[number];

const NOTICE = '5';
const INFO = '6';

export function eventMessage(event: ToldEvent, store: string): Readonly<Record<string, string>> {
  const { type, status, id, name, image, exitCode, attributes, health } = event;
  const time = formatStamp(event.timeNs);
  const fields: Readonly<Record<EventField, string>> = {
    PODMAN_TIME: time,
    PODMAN_TYPE: type,
    PODMAN_EVENT: status,
    PODMAN_ID: type === 'volume' ? '' : id,
    PODMAN_NAME: type === 'network' ? '' : name,
    PODMAN_NETWORK_NAME: type === 'network' ? name : '',
    PODMAN_IMAGE: image,
    PODMAN_EXIT_CODE: exitCode === undefined ? '' : String(exitCode),
    PODMAN_LABELS: Object.keys(attributes).length === 0 ? '' : JSON.stringify(attributes),
    PODMAN_HEALTH_STATUS: health?.status ?? '',
    PODMAN_HEALTH_FAILING_STREAK: health === undefined ? '' : String(health.failingStreak),
    PODMAN_HEALTH_LOG: health?.log ?? '',
  };
  const utc = time.replace('T', ' ').replace('Z', ' +0000 UTC');
  return {
    SYSLOG_IDENTIFIER: 'podman',
    PRIORITY: status === 'health_status' ? NOTICE : INFO,
    MESSAGE: `${utc} ${eventWords(eventRecord(event), id)}`,
    [STORE_FIELD]: store,
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')),
  };
}

/** Undefined for what is no event of ours: anybody may write to the journal. */
export function eventOf(entry: JournalEntry): ToldEvent | undefined {
  const field = (name: EventField): string => textOf(entry, name) ?? '';
  const timeNs = parseStamp(field('PODMAN_TIME'));
  const [type, status] = [field('PODMAN_TYPE') as ToldEvent['type'], field('PODMAN_EVENT')];
  const attributes = parseLabels(field('PODMAN_LABELS'));
  if (timeNs === undefined || !TYPES.includes(type) || status === '' || attributes === undefined) return undefined;
  const name = field('PODMAN_NETWORK_NAME') || field('PODMAN_NAME');
  const log = field('PODMAN_HEALTH_LOG');
  const failingStreak = Number(field('PODMAN_HEALTH_FAILING_STREAK'));
  return {
    timeNs,
    type,
    status,
    id: type === 'volume' ? name : field('PODMAN_ID'),
    name,
    image: field('PODMAN_IMAGE'),
    exitCode: field('PODMAN_EXIT_CODE') === '' ? undefined : Number(field('PODMAN_EXIT_CODE')),
    attributes,
    ...(field('PODMAN_HEALTH_STATUS') !== '' && {
      health: { status: field('PODMAN_HEALTH_STATUS'), failingStreak, ...(log !== '' && { log }) },
    }),
  };
}

const TYPES: readonly string[] = ['container', 'image', 'volume', 'network', 'pod', 'secret', 'system'] satisfies ToldEvent['type'][];

function parseLabels(text: string): Readonly<Record<string, string>> | undefined {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) && Object.values(value).every((one) => typeof one === 'string') ? (value as Record<string, string>) : undefined;
  } catch {
    return undefined;
  }
}
