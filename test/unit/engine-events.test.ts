import { describe, expect, test } from 'vitest';
import { eventRecord } from '../../libpod/event/record.ts';
import { eventTest } from '../../libpod/events.ts';
import type { EngineEvent } from '../../libpod/state/events.ts';

function anEvent(change: Partial<EngineEvent> = {}): EngineEvent {
  return {
    seq: 1,
    timeNs: 1_795_319_140_688_823_596n,
    type: 'container',
    status: 'died',
    id: '2ac18b89f60451d591ae0dacab15f4bbcb1999079c9fca70316fb399b6f72236',
    name: 'ev1',
    image: 'localhost/bb:latest',
    exitCode: 0,
    attributes: { x: 'y' },
    ...change,
  };
}

const VOLUME = anEvent({ type: 'volume', status: 'create', id: 'evvol', name: 'evvol', image: '', exitCode: undefined, attributes: {} });
const NETWORK = anEvent({
  type: 'network',
  status: 'create',
  name: 'evnet',
  image: '',
  exitCode: undefined,
  attributes: { driver: 'bridge' },
});

describe('events', () => {
  test('a container’s has its image, exit status and labels', () => {
    expect(eventRecord(anEvent())).toEqual({
      time: '2026-11-22T03:45:40.688823596Z',
      type: 'container',
      status: 'died',
      id: anEvent().id,
      name: 'ev1',
      image: 'localhost/bb:latest',
      containerExitCode: 0,
      attributes: { x: 'y' },
    });
    expect(eventRecord(anEvent({ attributes: {} })).attributes).toEqual({});
  });

  test('a volume’s has a name only, a network’s its driver', () => {
    expect(eventRecord(VOLUME)).toEqual({ time: expect.any(String), type: 'volume', status: 'create', name: 'evvol', attributes: null });
    expect(eventRecord(NETWORK)).toMatchObject({ network: 'evnet', attributes: { driver: 'bridge' } });
    expect(eventRecord(NETWORK)).not.toHaveProperty('name');
  });

  test.each(['container=ev1', 'container=2ac18b', 'CONTAINER=ev1', 'event=died', 'status=died', 'type=container', 'label=x', 'label=x=y'])(
    '%s matches',
    (filter) => {
      expect(eventTest([filter])(anEvent())).toBe(true);
    },
  );

  test.each(['container=ev', 'container=', 'event=create', 'type=image', 'label=x=z', 'image=bb', 'volume=ev1'])(
    '%s does not',
    (filter) => {
      expect(eventTest([filter])(anEvent())).toBe(false);
    },
  );

  test('of several values of a key one is enough, of keys all are needed', () => {
    const both = eventTest(['event=create', 'event=died', 'container=ev1']);
    expect([both(anEvent()), both(anEvent({ status: 'start' })), both(anEvent({ name: 'other', id: '' }))]).toEqual([true, false, false]);
    expect(eventTest(['volume=evvol'])(VOLUME)).toBe(true);
  });

  test.each(['foo=bar', 'foo', 'container', 'container!=x', 'toString=x'])('%s is refused', (filter) => {
    expect(() => eventTest([filter])).toThrow(`failed to parse event filters: ${filter.split('=')[0]} is an invalid filter`);
  });
});
