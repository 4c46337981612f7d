import { describe, expect, test } from 'vitest';
import { advance, dueCheck, freshHealth, intervalMs, outputLimit, type HealthRecord } from '../../libpod/health/check.ts';
import type { ContainerConfig } from '../../libpod/spec/container.ts';
import { parseHealth, type HealthWords } from '../../libpod/spec/parse/health.ts';

const SECOND = 1e9;
const words = (change: Partial<HealthWords>): HealthWords => ({ none: false, ...change });

describe('what the flags say', () => {
  test.each<[string, readonly string[]]>([
    ['echo a b', ['CMD-SHELL', 'echo a b']],
    ['[bad', ['CMD-SHELL', '[bad']],
    ['["true","x"]', ['CMD', 'true', 'x']],
    ['["CMD","echo","a b"]', ['CMD', 'echo', 'a b']],
    ['["CMD-SHELL","true"]', ['CMD-SHELL', 'true']],
    ['["one"]', ['CMD-SHELL', 'one']],
    ['CMD echo a', ['CMD', 'echo', 'a']],
    ['CMD-SHELL echo a', ['CMD-SHELL', 'echo a']],
    ['none', ['NONE']],
  ])('--health-cmd %s', (command, Test) => {
    expect(parseHealth(words({ command }))).toEqual({
      check: { Test, Interval: 30 * SECOND, Timeout: 30 * SECOND, Retries: 3 },
    });
  });

  test('nothing asked for is nothing, and so are numbers without a command', () => {
    expect(parseHealth(words({}))).toBeUndefined();
    expect(parseHealth(words({ command: '', interval: '5s', retries: 5 }))).toBeUndefined();
    expect(parseHealth(words({ none: true }))).toEqual({ check: { Test: ['NONE'] } });
  });

  test('startup checks have their own times', () => {
    const wish = parseHealth(words({ command: 'y', startupCommand: 'x', startupInterval: '2s', startupSuccess: 2, startupRetries: 4 }));
    expect(wish?.startup).toEqual({ Test: ['CMD-SHELL', 'x'], Interval: 2 * SECOND, Timeout: 30 * SECOND, Retries: 4, Successes: 2 });
  });

  test.each<[Partial<HealthWords>, string]>([
    [{ interval: 'abc' }, 'invalid healthcheck-interval: time: invalid duration "abc"'],
    [{ timeout: '0' }, 'healthcheck-timeout must be at least 1 second'],
    [{ timeout: '-1s' }, 'healthcheck-timeout must be at least 1 second'],
    [{ retries: 0 }, 'healthcheck-retries must be greater than 0'],
    [{ startPeriod: '-1s' }, 'healthcheck-start-period must be 0 seconds or greater'],
    [{ startPeriod: 'abc' }, 'invalid healthcheck-start-period: time: invalid duration "abc"'],
    [{ command: '[]' }, 'must define a healthcheck command for all healthchecks'],
    [{ none: true }, 'cannot specify both --no-healthcheck and --health-cmd'],
    [{ startupCommand: 'x', startupTimeout: '0s' }, 'healthcheck-timeout must be at least 1 second'],
    [{ onFailure: 'foo' }, 'invalid on-failure action "foo" for health check: supported actions are none,kill,restart,stop'],
  ])('%j is refused', (change, message) => {
    expect(() => parseHealth(words({ command: 'x', ...change }))).toThrow(message);
  });

  test('I07: no interval makes a check run more often than once a second, none below zero makes it run at all', () => {
    const interval = (text: string) => intervalMs(parseHealth(words({ command: 'x', interval: text }))!.check!, false);
    expect(interval('1ns')).toBe(1000);
    expect(interval('-1s')).toBeUndefined();
    expect(interval('disable')).toBeUndefined();
    expect(interval('90s')).toBe(90_000);
    expect(intervalMs({ Test: ['CMD', 'x'], Interval: -5 }, true)).toBeUndefined();
    expect(intervalMs({ Test: ['CMD', 'x'] }, true)).toBe(30_000);
  });
});

describe('what a result makes of it', () => {
  const config = (change: Partial<ContainerConfig> = {}): ContainerConfig =>
    ({ healthcheck: { Test: ['CMD', 'x'], Retries: 2 }, ...change }) as ContainerConfig;
  const entry = (exitCode: number) => ({ start: '', end: '', exitCode, output: '' });
  const play = (over: ContainerConfig, results: readonly boolean[], change: { isStartup?: boolean; ageMs?: number } = {}) => {
    let health: HealthRecord = freshHealth(over)!;
    const seen: string[] = [];
    for (const ok of results) {
      const isStartup = dueCheck(over, health)!.isStartup;
      const verdict = advance(over, health, { isStartup, ok, entry: entry(ok ? 0 : 1), ageMs: 1e6, ...change });
      health = verdict.health;
      seen.push(`${health.status} ${health.failingStreak}${verdict.turned === undefined ? '' : ` ${verdict.turned}`}`);
    }
    return { health, seen };
  };

  test('so many failures in a row are unhealthy, one success is healthy again, and the change is told once', () => {
    expect(play(config(), [false, false, false, true, false]).seen).toEqual([
      'starting 1',
      'unhealthy 2 unhealthy',
      'unhealthy 3',
      'healthy 0',
      'healthy 1',
    ]);
  });

  test('failures within the start period do not count, a success does', () => {
    const over = config({ healthcheck: { Test: ['CMD', 'x'], Retries: 1, StartPeriod: 60 * SECOND } });
    expect(play(over, [false, false, true], { ageMs: 59_000 }).seen).toEqual(['starting 0', 'starting 0', 'healthy 0']);
    expect(play(over, [false], { ageMs: 61_000 }).seen).toEqual(['unhealthy 1 unhealthy']);
  });

  test('startup checks come first, until so many have succeeded in a row; too many failures restart', () => {
    const over = config({ health: { startup: { Test: ['CMD', 's'], Retries: 2, Successes: 2 } } });
    const { health, seen } = play(over, [true, false, true, true]);
    expect(seen).toEqual(['healthy 0', 'healthy 0', 'healthy 0', 'healthy 0']);
    expect(dueCheck(over, health)).toMatchObject({ isStartup: false, argv: ['x'] });
    expect(play(over, [false, false]).seen).toEqual(['starting 0', 'starting 0 startup-failed']);
  });

  test('the log keeps the last five, or as many as asked for, or all', () => {
    const seven = Array.from({ length: 7 }, () => true);
    expect(play(config(), seven).health.log).toHaveLength(5);
    expect(play(config({ health: { maxLogCount: 2 } }), seven).health.log).toHaveLength(2);
    expect(play(config({ health: { maxLogCount: 0 } }), seven).health.log).toHaveLength(7);
    expect(outputLimit(config())).toBe(500);
    expect(outputLimit(config({ health: { maxLogSize: 0 } }))).toBe(2 ** 20);
    expect(outputLimit(config({ health: { maxLogSize: 2 ** 40 } }))).toBe(2 ** 20);
  });

  test('NONE and an empty command are no check', () => {
    for (const Test of [['NONE'], [], ['CMD'], ['']]) expect(freshHealth(config({ healthcheck: { Test } }))).toBeUndefined();
    expect(dueCheck(config({ healthcheck: { Test: ['CMD-SHELL', 'a', 'b'] } }), undefined)?.argv).toEqual(['/bin/sh', '-c', 'a b']);
  });
});
