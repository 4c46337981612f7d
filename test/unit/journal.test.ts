import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeJournalMessage, type JournalEntry, JournalParser } from '../../core/journal.ts';
import { logRecord } from '../../libpod/container/log-journal.ts';
import { eventMessage, eventOf } from '../../libpod/event/journal.ts';
import type { ToldEvent } from '../../libpod/state/events.ts';

const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,20}$/);
const messages = fc.array(fc.dictionary(name, fc.string(), { minKeys: 1, maxKeys: 5 }), { maxLength: 6 });

/** All entries of an export that comes in pieces of the given sizes. */
function parsed(bytes: Buffer, sizes: readonly number[]): JournalEntry[] {
  const parser = new JournalParser();
  const entries: JournalEntry[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length]!;
    entries.push(...parser.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return entries;
}

function entry(fields: Readonly<Record<string, string | Buffer>>): JournalEntry {
  return new Map(Object.entries(fields).map(([field, value]) => [field, Buffer.from(value as string)]));
}

describe('the journal’s format', () => {
  test('what is written is what is read, wherever the reads end', () => {
    fc.assert(
      fc.property(messages, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 5 }), (written, sizes) => {
        const bytes = Buffer.concat(written.flatMap((message) => [encodeJournalMessage(message), Buffer.from('\n')]));
        const read = parsed(bytes, sizes).map((one) => Object.fromEntries([...one].map(([field, value]) => [field, value.toString()])));
        expect(read).toEqual(written.map((message) => ({ ...message })));
      }),
    );
  });

  test('bytes that are no text are kept, a value of one line is written as text', () => {
    const binary = Buffer.concat([
      Buffer.from('MESSAGE\n'),
      Buffer.of(3, 0, 0, 0, 0, 0, 0, 0, 0xff, 0x0a, 0x00),
      Buffer.from('\nA=b=c\n\n'),
    ]);
    expect(parsed(binary, [binary.length])).toEqual([entry({ MESSAGE: Buffer.of(0xff, 0x0a, 0x00), A: 'b=c' })]);
    expect(encodeJournalMessage({ A: 'b=c', B: '' }).toString()).toBe('A=b=c\nB=\n');
  });

  test('an entry that is cut short is not told', () => {
    expect(parsed(Buffer.from('A=b\nMESSAGE\n'), [4])).toEqual([]);
  });
});

describe('conmon’s messages', () => {
  const at = { __REALTIME_TIMESTAMP: '1795676722156913' };

  test('have their time, stream and bytes, without the newline of a whole line', () => {
    expect(logRecord(entry({ ...at, MESSAGE: 'one\n', PRIORITY: '6' }))).toEqual({
      stamp: '2026-11-26T07:05:22.156913000Z',
      stream: 'stdout',
      partial: false,
      text: Buffer.from('one'),
    });
    expect(logRecord(entry({ ...at, MESSAGE: 'two', PRIORITY: '3' }))).toMatchObject({ stream: 'stderr', text: Buffer.from('two') });
    expect(logRecord(entry({ ...at, MESSAGE: '\n\n', PRIORITY: '6' })).text).toEqual(Buffer.from('\n'));
    expect(logRecord(entry(at)).text).toEqual(Buffer.alloc(0));
  });

  test('may be a part of a line', () => {
    const part = entry({ ...at, MESSAGE: 'a\n', PRIORITY: '6', CONTAINER_PARTIAL_MESSAGE: 'true' });
    expect(logRecord(part)).toMatchObject({ partial: true, text: Buffer.from('a\n') });
  });
});

describe('events in the journal', () => {
  const died: ToldEvent = {
    timeNs: 1_795_676_722_164_282_718n,
    type: 'container',
    status: 'died',
    id: 'a9954af62aa9',
    name: 'j1',
    image: 'localhost/busybox:latest',
    exitCode: 3,
    attributes: { c: 'd e', a: 'b' },
  };

  test('have Podman’s fields', () => {
    expect(eventMessage(died, '/store')).toEqual({
      SYSLOG_IDENTIFIER: 'podman',
      PRIORITY: '6',
      MESSAGE: '2026-11-26 07:05:22.164282718 +0000 UTC container died a9954af62aa9 (image=localhost/busybox:latest, name=j1, a=b, c=d e)',
      LICHEN_STORE: '/store',
      PODMAN_TIME: '2026-11-26T07:05:22.164282718Z',
      PODMAN_TYPE: 'container',
      PODMAN_EVENT: 'died',
      PODMAN_ID: 'a9954af62aa9',
      PODMAN_NAME: 'j1',
      PODMAN_IMAGE: 'localhost/busybox:latest',
      PODMAN_EXIT_CODE: '3',
      PODMAN_LABELS: '{"c":"d e","a":"b"}',
    });
    const volume = eventMessage({ ...died, type: 'volume', status: 'create', id: 'v', name: 'v', image: '', attributes: {} }, '/store');
    expect(volume).toMatchObject({ PODMAN_NAME: 'v', PODMAN_TYPE: 'volume' });
    expect(volume).not.toHaveProperty('PODMAN_ID');
    expect(volume).not.toHaveProperty('PODMAN_LABELS');
  });

  test('a health check has a higher priority and may bring its log', () => {
    const checked = { ...died, status: 'health_status', exitCode: undefined, health: { status: 'healthy', failingStreak: 0, log: '{}' } };
    expect(eventMessage(checked, '/store')).toMatchObject({
      PRIORITY: '5',
      PODMAN_HEALTH_STATUS: 'healthy',
      PODMAN_HEALTH_FAILING_STREAK: '0',
      PODMAN_HEALTH_LOG: '{}',
      MESSAGE: expect.stringContaining('health_status=healthy, health_failing_streak=0, health_log={}, a=b') as string,
    });
  });

  const event = fc.record({
    timeNs: fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }),
    type: fc.constantFrom<ToldEvent['type'][]>('container', 'image', 'network', 'pod', 'secret', 'system', 'volume'),
    status: fc.string({ minLength: 1 }),
    id: fc.string(),
    name: fc.string(),
    image: fc.string(),
    exitCode: fc.option(fc.nat(255), { nil: undefined }),
    attributes: fc.dictionary(fc.string(), fc.string()),
  });

  test('what is told is what is read', () => {
    fc.assert(
      fc.property(event, (one) => {
        const told = { ...one, id: one.type === 'volume' ? one.name : one.id, attributes: { ...one.attributes } };
        const [read] = parsed(Buffer.concat([encodeJournalMessage(eventMessage(told, '/s')), Buffer.from('\n')]), [4096]);
        expect(eventOf(read!)).toEqual(told);
      }),
    );
  });

  test.each([
    { PODMAN_TIME: 'yesterday' },
    { PODMAN_TYPE: 'constructor' },
    { PODMAN_EVENT: '' },
    { PODMAN_LABELS: '{' },
    { PODMAN_LABELS: '["a"]' },
    { PODMAN_LABELS: '{"a":1}' },
    { PODMAN_LABELS: 'null' },
  ])('what others wrote and is none is passed over: %j', (forged) => {
    expect(eventOf(entry({ ...eventMessage(died, '/s'), ...forged }))).toBeUndefined();
  });
});
