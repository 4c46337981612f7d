import { expect, test } from 'vitest';
import { parseIdMaps } from '../../runtime/set-up/id-map.ts';

const range = (containerID: number, hostID: number, size: number) => ({ containerID, hostID, size });
const container = { uids: [range(0, 100, 10), range(10, 500, 10)], gids: [range(0, 200, 10)] };

test.each([
  ['', container],
  ['uids=5-7-1;gids=6-8-2', { uids: [range(5, 7, 1)], gids: [range(6, 8, 2)] }],
  ['gids=0-1-1;uids=0-1-1#5-7-2', { uids: [range(0, 1, 1), range(5, 7, 2)], gids: [range(0, 1, 1)] }],
  ['uids=@3-12-4;gids=@0-0-10', { uids: [range(3, 502, 4)], gids: [range(0, 200, 10)] }],
  ['uids=0-0-1', { uids: [range(0, 0, 1)], gids: [] }],
])('idmap=%s', (words, maps) => {
  expect(parseIdMaps(words, container)).toEqual(maps);
});

test.each([
  ['foo=0-0-1', 'invalid option `foo=0-0-1`'],
  ['uids=0-0-1;', 'invalid option ``'],
  ['uids=', 'invalid option `uids=`'],
  ['uids=x', 'invalid mapping `x`'],
  ['uids=0-0', 'invalid mapping `0-0`'],
  ['uids=0-0-0', 'invalid mapping `0-0-0`'],
  ['uids=0-0-1##1-1-1', 'invalid mapping ``'],
  ['uids=1-1-4294967295', 'invalid mapping'],
  ['gids=@0-5-6', 'no such ids in one piece'],
  ['uids=@0-100-1', 'no such ids in one piece'],
])('idmap=%s is an error', (words, message) => {
  expect(() => parseIdMaps(words, container)).toThrow(message);
});
