import { expect, test } from 'vitest';
import { digestFromHex } from '../../core/digest.ts';
import type { Descriptor, Platform } from '../../storage/image.ts';
import { formatPlatform, parsePlatform, selectPlatform } from '../../storage/platform.ts';

function entries(...platforms: string[]): Descriptor[] {
  return platforms.map((text, index) => {
    const [os, architecture, variant] = text.split('/') as [string, string, string?];
    const platform: Platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
    return { mediaType: 'm', digest: digestFromHex(String(index).repeat(64)), size: 1, platform };
  });
}

test.each([
  ['linux/amd64', ['linux/arm64', 'linux/amd64'], 'linux/amd64'],
  ['linux/x86_64', ['linux/amd64'], 'linux/amd64'],
  ['linux/arm64', ['linux/arm64/v8'], 'linux/arm64/v8'],
  ['linux/arm64/v8', ['linux/arm64'], 'linux/arm64'],
  ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6'], 'linux/arm/v6'],
  ['linux/arm/v7', ['linux/arm/v6', 'linux/arm/v7'], 'linux/arm/v7'],
  ['linux/arm', ['linux/arm/v7'], 'linux/arm/v7'],
  ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2'], 'linux/amd64/v2'],
  ['linux/aarch64', ['linux/arm64/v8'], 'linux/arm64/v8'],
  ['linux/amd64', ['unknown/unknown', 'linux/amd64'], 'linux/amd64'],
])('for %s, of %j, %s is taken', (wanted, offered, expected) => {
  expect(formatPlatform(selectPlatform(entries(...offered), parsePlatform(wanted))!.platform!)).toBe(expected);
});

test.each([
  ['linux/arm/v6', ['linux/arm/v7']],
  ['linux/amd64', ['linux/amd64/v3', 'windows/amd64', 'linux/386']],
  ['linux/amd64', ['linux/arm64']],
])('for %s, none of %j is taken', (wanted, offered) => {
  expect(selectPlatform(entries(...offered), parsePlatform(wanted))).toBeUndefined();
});

test('the first of two equal entries is taken', () => {
  const two = entries('linux/amd64', 'linux/amd64');
  expect(selectPlatform(two, parsePlatform('linux/amd64'))).toBe(two[0]);
});

test.each(['a/b/c/d', '', 'linux/', 'linux/amd 64', '../x'])('%j is no platform', (text) => {
  expect(() => parsePlatform(text)).toThrow(expect.objectContaining({ code: 'INVALID_ARGUMENT' }));
});
