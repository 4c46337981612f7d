import { expect, test } from 'vitest';
import { formatUptime, parseCpuUtilization, parseDistribution, parseMemory } from '../../libpod/system/machine.ts';

test('processor time since boot is told in percent', () => {
  const stat = 'cpu  100 0 50 800 25 10 5 10 0 0\ncpu0 1 2 3\n';
  expect(parseCpuUtilization(stat)).toEqual({ userPercent: 10, systemPercent: 5, idlePercent: 80 });
  expect(parseCpuUtilization('')).toEqual({ userPercent: 0, systemPercent: 0, idlePercent: 0 });
});

test('memory is told in bytes', () => {
  const meminfo = 'MemTotal:       1000 kB\nMemFree:         250 kB\nSwapTotal:         4 kB\nSwapFree:          2 kB\n';
  expect(parseMemory(meminfo)).toEqual({ memTotal: 1_024_000, memFree: 256_000, swapTotal: 4096, swapFree: 2048 });
});

test('the distribution is read from os-release, quoted or not', () => {
  expect(parseDistribution('ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n')).toEqual({
    distribution: 'debian',
    version: '12',
    codename: 'bookworm',
  });
  expect(parseDistribution('')).toEqual({ distribution: 'unknown', version: 'unknown' });
});

test.each([
  [2381, '0h 39m 41.00s'],
  [176_525, '49h 2m 5.00s (Approximately 2.04 days)'],
])('%i seconds are %s', (seconds, text) => {
  expect(formatUptime(seconds)).toBe(text);
});
