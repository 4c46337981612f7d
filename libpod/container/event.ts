import type { NewEvent } from '../state/events.ts';
import type { ContainerRecord } from '../state/containers.ts';

/** An event about a container, with its labels as attributes. */
export function containerEvent(
  record: Pick<ContainerRecord, 'id' | 'name' | 'config'>,
  status: string,
  extra: { exitCode?: number; attributes?: Record<string, string> } = {},
): NewEvent {
  return {
    type: 'container',
    status,
    id: record.id,
    name: record.name,
    image: record.config.imageName ?? '',
    ...(extra.exitCode === undefined ? {} : { exitCode: extra.exitCode }),
    attributes: { ...record.config.labels, ...extra.attributes },
  };
}
