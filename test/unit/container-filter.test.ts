import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EngineError } from '../../core/errors.ts';
import { containerTest, PRUNE_KEYS } from '../../libpod/container/filter.ts';
import { containerSummary } from '../../libpod/container/list.ts';
import { hasLabel, splitFilters } from '../../libpod/filters.ts';
import type { ContainerWish } from '../../libpod/spec/wish.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';
import { aNetwork, ID, kept } from './spec-case.ts';

const NOW = Date.UTC(2026, 10, 22);
const HOUR = 3_600_000;

function aRecord(change: Partial<ContainerRecord> = {}, wish: Partial<ContainerWish> = {}): ContainerRecord {
  return {
    id: ID,
    name: 'quiet_moss',
    config: kept(wish),
    createdMs: NOW - HOUR,
    status: 'running',
    runCount: 1,
    restartCount: 0,
    process: undefined,
    monitor: undefined,
    startedMs: undefined,
    finishedMs: undefined,
    exitCode: undefined,
    oomKilled: false,
    stoppedByUser: false,
    error: undefined,
    network: undefined,
    health: undefined,
    ...change,
  };
}

const OTHERS: Readonly<Record<string, Pick<ContainerRecord, 'createdMs' | 'id'>>> = {
  older: { id: ID, createdMs: NOW - 2 * HOUR },
  newer: { id: ID, createdMs: NOW },
};

function find(name: string): Pick<ContainerRecord, 'createdMs' | 'id'> {
  const other = OTHERS[name];
  if (other === undefined) throw new EngineError('NO_SUCH_CONTAINER', `no container with name or ID "${name}" found: no such container`);
  return other;
}

function matches(record: ContainerRecord, ...filters: readonly string[]): boolean {
  return containerTest(splitFilters(filters), { nowMs: NOW, find })(record);
}

describe('filters of containers', () => {
  const record = aRecord(
    {},
    {
      labels: { team: 'a', 'org.example/role': 'db' },
      mounts: [
        { type: 'volume', name: 'data', target: '/data', options: [] },
        { type: 'bind', source: '/etc', target: '/conf', options: [] },
      ],
    },
  );

  test.each([
    'ancestor=localhost/bb',
    'ancestor=bb:latest',
    'ancestor=b1dacf6c513a',
    'ancestor=sha256:b1dacf6c513a',
    'before=newer',
    'command=sleep',
    'id=c4ad',
    'id=C4AD',
    'label=team',
    'label=team=a',
    'label=org.*/role=db',
    'label!=team=b',
    'name=quiet',
    'name=^quiet_m.ss$',
    'restart-policy=no',
    'should-start-on-boot=false',
    'since=older',
    'status=running',
    'until=30m',
    'volume=data',
    'volume=/data',
    'volume=/etc',
    'volume=/etc:/conf',
  ])('%s matches', (filter) => {
    expect(matches(record, filter)).toBe(true);
  });

  test.each([
    'ancestor=other',
    'before=older',
    'command=slee',
    'exited=0',
    'health=healthy',
    'id=4ad',
    'label=team=b',
    'label=tea',
    'label!=team',
    'name=loud',
    'network=bridge',
    'pod=x',
    'since=newer',
    'status=exited',
    'until=2h',
    'volume=/etc:/data',
  ])('%s does not', (filter) => {
    expect(matches(record, filter)).toBe(false);
  });

  test('of several values of a key one is enough, of labels all are needed, of keys all', () => {
    expect(matches(record, 'status=exited', 'status=running')).toBe(true);
    expect(matches(record, 'label=team', 'label=none')).toBe(false);
    expect(matches(record, 'name=quiet', 'status=exited')).toBe(false);
    expect(matches(record, 'label!=none', 'label!=team')).toBe(false);
  });

  test.each([
    ['always', {}, true],
    ['always', { stoppedByUser: true }, true],
    ['always', { startedMs: undefined }, false],
    ['unless-stopped', {}, true],
    ['unless-stopped', { stoppedByUser: true }, false],
    ['unless-stopped', { startedMs: undefined }, false],
    ['on-failure', {}, false],
    ['no', {}, false],
  ] as const)('%s with %o starts on boot: %s', (name, change, starts) => {
    const policed = aRecord({ status: 'exited', startedMs: NOW, ...change }, { restart: { name } });
    expect(matches(policed, 'should-start-on-boot=True')).toBe(starts);
    expect(matches(policed, 'should-start-on-boot=0')).toBe(!starts);
  });

  test('should-start-on-boot wants a boolean', () => {
    expect(() => matches(record, 'should-start-on-boot=maybe')).toThrow('strconv.ParseBool: parsing "maybe": invalid syntax');
  });

  test('what has exited is found by its status, by stopped as well, and by its exit code', () => {
    const ended = aRecord({ status: 'exited', exitCode: 3 });
    expect(['status=exited', 'status=stopped', 'exited=3'].every((filter) => matches(ended, filter))).toBe(true);
    expect(matches(ended, 'exited=0')).toBe(false);
    expect(matches(aRecord({ status: 'configured' }), 'status=created')).toBe(true);
    expect(matches(aRecord({ status: 'starting' }), 'status=created')).toBe(true);
  });

  test('a network is found by its name, or by the container it is shared with', () => {
    const joined = aRecord({}, { network: aNetwork({ mode: { kind: 'container', container: ID } }) });
    expect(matches(joined, 'network=container:newer')).toBe(true);
    expect(['network=container:nobody', 'network=newer'].some((filter) => matches(joined, filter))).toBe(false);
  });

  test.each([
    ['foo=bar', 'foo is an invalid filter'],
    ['name!=x', 'name! is an invalid filter'],
    ['toString=x', 'toString is an invalid filter'],
    ['status', 'invalid filter "status"'],
    ['status=foo', 'unknown container state: foo: invalid argument'],
    ['since=nobody', 'no container with name or ID "nobody" found: no such container'],
    ['until=foo', 'failed to parse value as time or duration: "foo"'],
    ['restart-policy=foo', 'foo invalid restart policy'],
    ['name=(', /^error parsing regexp: "\(": /],
    ['exited=x', /strconv\.ParseInt: parsing "x": invalid syntax$/],
  ])('%s is refused', (filter, message) => {
    expect(() => matches(record, filter)).toThrow(message);
  });

  test('prune takes labels and times only', () => {
    const make = (filter: string) => () => containerTest(splitFilters([filter]), { nowMs: NOW, find }, PRUNE_KEYS);
    expect(make('name=x')).toThrow('name is an invalid filter');
    expect(make('label!=x')).not.toThrow();
  });

  test('any label is found by its key, by key and value, and not by another value', () => {
    const word = fc.string({ minLength: 1 }).filter((text) => !/[=*]/.test(text) && !(text in {}));
    fc.assert(
      fc.property(word, word, word, (key, value, other) => {
        expect(hasLabel({ [key]: value }, key)).toBe(true);
        expect(hasLabel({ [key]: value }, `${key}=${value}`)).toBe(true);
        expect(hasLabel({ [key]: value }, `${key}=${value}${other}`)).toBe(false);
        expect(hasLabel({}, key)).toBe(false);
      }),
    );
  });
});

describe('rows of ps', () => {
  test('a running container shows where it stands', () => {
    const ports = [{ hostIp: '', hostPort: 8080, containerPort: 80, range: 1, protocol: 'tcp' }] as const;
    const row = containerSummary(
      aRecord(
        { process: { pid: 42, startTime: 1 }, startedMs: NOW, restartCount: 2 },
        { labels: { a: 'b' }, network: aNetwork({ ports }), autoRemove: true, mounts: [{ type: 'tmpfs', target: '/t', options: [] }] },
      ),
    );
    expect(row).toMatchObject({
      id: ID,
      names: ['quiet_moss'],
      image: 'localhost/bb:latest',
      command: ['sleep', '20'],
      state: 'running',
      pid: 42,
      restarts: 2,
      autoRemove: true,
      labels: { a: 'b' },
      ports,
      mounts: ['/t'],
      networks: [],
      startedAt: '2026-11-22T00:00:00.000Z',
    });
    expect(row).not.toHaveProperty('exitedAt');
  });

  test('one that was never started has neither times nor pid', () => {
    const row = containerSummary(aRecord({ status: 'configured' }));
    expect(row).toMatchObject({ state: 'created', pid: 0, exitCode: 0 });
    expect(row).not.toHaveProperty('startedAt');
  });
});
