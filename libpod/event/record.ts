import { formatStamp } from '../../core/moment.ts';
import type { ToldEvent } from '../state/events.ts';
import type { EventRecord } from '../summary.ts';

/** As `events` shows it. Pure. */
export function eventRecord(event: ToldEvent): EventRecord {
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
    ...(event.health?.log !== undefined && { healthLog: event.health.log }),
    attributes: hasAttributes ? attributes : null,
  };
}
