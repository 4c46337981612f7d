import { expect, test } from 'vitest';
import { isMountVolume, parseVolumeOptions } from '../../libpod/volume/options.ts';

test('the words of o that mean something to the volume are shown again in capitals', () => {
  expect(parseVolumeOptions(['type=tmpfs', 'device=tmpfs', 'o=size=1m,nodev,uid=5,gid=6'])).toEqual({
    options: { type: 'tmpfs', device: 'tmpfs', o: 'size=1m,nodev,uid=5,gid=6', SIZE: '1m', UID: '5', GID: '6' },
    uid: 5,
    gid: 6,
  });
});

test('no options are no options', () => {
  expect(parseVolumeOptions([])).toEqual({ options: {} });
  expect(isMountVolume({ driver: 'local', options: {} })).toBe(false);
});

test.each([
  [['foo=bar'], "invalid mount option foo for driver 'local': invalid argument"],
  [['timeout=5'], "invalid mount option timeout for driver 'local': invalid argument"],
  [['=x'], 'unable to process options: invalid label format: "=x"'],
  [['o=size=1m'], 'volume options size and inodes not supported. Filesystem does not support Project Quota'],
  [['type=tmpfs', 'o=uid=x'], 'cannot convert UID x to integer: strconv.Atoi: parsing "x": invalid syntax'],
  [['type=tmpfs', 'o=size=big'], "cannot convert size big to integer: invalid size: 'big'"],
])('%j: %s', (words, message) => {
  expect(() => parseVolumeOptions(words)).toThrow(message);
});
