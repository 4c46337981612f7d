import type { NewEvent } from '../state/events.ts';
import type { PodConfig } from '../state/pods.ts';

export function podEvent({ id, name, labels }: Pick<PodConfig, 'id' | 'name' | 'labels'>, status: string): NewEvent {
  return { type: 'pod', status, id, name, attributes: labels };
}
