import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDuration, humanDuration, parseDurationMs } from '../../core/duration.ts';
import { humanSize, parseSizeBytes } from '../../core/size.ts';

test('sizes have three digits and decimal units unless told otherwise', () => {
  const sizes = [0, 1, 999, 1000, 2_131_109, 2_139_566, 11_370, 25_276_502_016, 284];
  expect(sizes.map((bytes) => humanSize(bytes))).toEqual(['0B', '1B', '999B', '1kB', '2.13MB', '2.14MB', '11.4kB', '25.3GB', '284B']);
  expect(humanSize(2_131_109, 3, ' ')).toBe('2.13 MB');
  expect(humanSize(25_276_502_016, 4)).toBe('25.28GB');
  expect(humanSize(67_370, 4)).toBe('67.37kB');
});

test('sizes are read with binary factors', () => {
  expect(['100', '1k', '512m', '1.5GiB', '65536kB', '1 g'].map(parseSizeBytes)).toEqual([
    100,
    1024,
    2 ** 29,
    1.5 * 2 ** 30,
    2 ** 26,
    2 ** 30,
  ]);
  for (const wrong of ['', 'k', '-1', '1.m', '1e3']) expect(() => parseSizeBytes(wrong)).toThrow(`invalid size: '${wrong}'`);
  for (const wrong of ['1x', '5 kbb', '1.5KiX'])
    expect(() => parseSizeBytes(wrong)).toThrow(`invalid suffix: '${wrong.replace(/^[\d. ]+/, '').toLowerCase()}'`);
});

test('ages are rounded as people say them', () => {
  const second = 1000;
  const hour = 3600 * second;
  const ages: readonly (readonly [number, string])[] = [
    [-5 * second, 'Less than a second'],
    [999, 'Less than a second'],
    [1999, '1 second'],
    [59.9 * second, '59 seconds'],
    [60 * second, 'About a minute'],
    [120 * second, '2 minutes'],
    [59 * 60 * second, '59 minutes'],
    [hour, 'About an hour'],
    [1.5 * hour, '2 hours'],
    [47 * hour, '47 hours'],
    [48 * hour, '2 days'],
    [13 * 24 * hour, '13 days'],
    [14 * 24 * hour, '2 weeks'],
    [59 * 24 * hour, '8 weeks'],
    [60 * 24 * hour, '2 months'],
    [729 * 24 * hour, '24 months'],
    [730 * 24 * hour, '2 years'],
  ];
  for (const [ms, text] of ages) expect(humanDuration(ms)).toBe(text);
});

test('a duration prints as it can be read again', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e9, max: 1e9 }), (ms) => {
      expect(parseDurationMs(formatDuration(ms))).toBeCloseTo(ms, 3);
    }),
  );
  expect([0, 0.0005, 0.5, 1.5, 1500, 90_000, 3_600_000].map(formatDuration)).toEqual([
    '0s',
    '500ns',
    '500µs',
    '1.5ms',
    '1.5s',
    '1m30s',
    '1h0m0s',
  ]);
});
