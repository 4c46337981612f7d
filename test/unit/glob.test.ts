import { expect, test } from 'vitest';
import { matchGlob } from '../../core/glob.ts';

test.each([
  ['*', 'busybox', true],
  ['*', 'team/busybox', false],
  ['*/busybox', 'team/busybox', true],
  ['b?sybox', 'busybox', true],
  ['b?sybox', 'b/sybox', false],
  ['localhost/*:v1', 'localhost/app:v1', true],
  ['localhost/*:v1', 'localhost/app:v2', false],
  ['b*x*x', 'bxxxyx', true],
  ['[a-c]*', 'busybox', true],
  ['[^a-c]*', 'busybox', false],
  ['\\*', '*', true],
  ['\\*', 'a', false],
  ['[', '[', false],
  ['a**b', 'ab', true],
  ['', '', true],
  ['', 'a', false],
])('pattern %j and %j: %j', (pattern, text, matches) => {
  expect(matchGlob(pattern, text)).toBe(matches);
});

test('many stars do not take exponential time', () => {
  expect(matchGlob(`${'a*'.repeat(30)}b`, 'a'.repeat(2000))).toBe(false);
});
