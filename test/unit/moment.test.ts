import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatStamp, parseMoment, parseStamp } from '../../core/moment.ts';

const NOW = Date.UTC(2026, 10, 22, 4, 0, 7, 500);
const back = (text: string) => parseMoment(text, NOW, 'back');

describe('points in time', () => {
  test.each([
    ['1136073600', '2006-01-01T00:00:00Z'],
    ['1136073600.000000001', '2006-01-01T00:00:00.000000001Z'],
    ['2006-01-02T15:04:05Z', '2006-01-02T15:04:05Z'],
    ['2006-01-02T15:04:05.999999999+07:00', '2006-01-02T08:04:05.999999999Z'],
    ['1h', '2026-11-22T03:00:07.5Z'],
    ['1m30s', '2026-11-22T03:58:37.5Z'],
    ['-1h', '2026-11-22T05:00:07.5Z'],
  ])('%s is %s', (text, stamp) => {
    expect(formatStamp(back(text)!)).toBe(stamp);
  });

  test('a duration may count ahead', () => {
    expect(formatStamp(parseMoment('1h', NOW, 'ahead')!)).toBe('2026-11-22T05:00:07.5Z');
  });

  test('without a zone it is local time', () => {
    expect(back('2026-07-01T12:00:00')).toBe(BigInt(new Date(2026, 6, 1, 12).getTime()) * 1_000_000n);
    expect(back('2026-07-01')).toBe(BigInt(new Date(2026, 6, 1).getTime()) * 1_000_000n);
  });

  test.each(['', 'foo', '12:00', '2026-13', '1 h', 'h', '2026-01-01T00:00', '1e3'])('%j is none', (text) => {
    expect(back(text)).toBeUndefined();
  });

  test('a stamp keeps all its nanoseconds', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 4_000_000_000_000_000_000n }), (nanos) => {
        expect(parseStamp(formatStamp(nanos))).toBe(nanos);
      }),
    );
  });
});
