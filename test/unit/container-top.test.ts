import { expect, test } from 'vitest';
import { topColumns } from '../../cli/format/views/top-columns.ts';
import type { ContainerProcess } from '../../libpod/container/top.ts';

const PROCESS: ContainerProcess = {
  pid: 7,
  hostPid: 4007,
  ppid: 1,
  pgid: 7,
  uid: 0,
  gid: 0,
  user: 'root',
  realUser: 'worker',
  group: 'root',
  realGroup: 'wheel',
  groups: ['a', 'b'],
  hostUser: '1000',
  hostGroup: '1000',
  hostGroups: ['100001'],
  args: 'sleep 20 ',
  name: 'sleep',
  state: 'S',
  terminal: 'pts/0',
  nice: 5,
  cpuMs: 1230,
  elapsedMs: 12_300,
  startedMs: Date.UTC(2026, 10, 22, 6, 19, 13, 250),
  virtualKib: 2268,
  residentKib: 1380,
  capabilities: { inheritable: 0n, permitted: 0xa0n, effective: 0x1ff_ffff_ffffn, bounding: 0x400n, ambient: 1n },
  seccompMode: 2,
  label: '',
};

function row(...words: readonly string[]): Record<string, string> {
  return Object.fromEntries(topColumns(words).map(({ header, cell }) => [header, cell(PROCESS)]));
}

test('without descriptors the usual ones are shown', () => {
  expect(topColumns([]).map(({ header }) => header)).toEqual(['USER', 'PID', 'PPID', '%CPU', 'ELAPSED', 'TTY', 'TIME', 'COMMAND']);
  expect(row()).toEqual({
    USER: 'root',
    PID: '7',
    PPID: '1',
    '%CPU': '10.000',
    ELAPSED: '12.3s',
    TTY: 'pts/0',
    TIME: '1.23s',
    COMMAND: 'sleep 20 ',
  });
});

test('descriptors stand between blanks or commas, in the order asked for', () => {
  expect(topColumns(['pid,user', 'hpid']).map(({ header }) => header)).toEqual(['PID', 'USER', 'HPID']);
});

test('capabilities are named in order, none and full are words', () => {
  expect(row('capinh', 'capprm', 'capeff', 'capbnd', 'capamb')).toEqual({
    'INHERITED CAPS': 'none',
    'PERMITTED CAPS': 'KILL,SETUID',
    'EFFECTIVE CAPS': 'full',
    'BOUNDING CAPS': 'NET_BIND_SERVICE',
    'AMBIENT CAPS': 'CHOWN',
  });
});

test('ids, groups and modes are shown as Podman shows them', () => {
  expect(row('ruser', 'rgroup', 'groups', 'huser', 'hgroups', 'nice', 'vsz', 'rss', 'seccomp', 'label', 'state')).toEqual({
    RUSER: 'worker',
    RGROUP: 'wheel',
    GROUPS: 'a,b',
    HUSER: '1000',
    HGROUPS: '100001',
    NI: '5',
    VSZ: '2268',
    RSS: '1380',
    SECCOMP: 'filter',
    LABEL: '?',
    STATE: 'S',
  });
});

test('letters of ps(1) stand for descriptors', () => {
  expect(row('%p', '%C', '%z')).toEqual(row('pid', 'pcpu', 'vsz'));
});

test.each([
  [['-ef'], ['USER', 'PID', 'PPID', '%CPU', 'STIME', 'TTY', 'TIME', 'COMMAND']],
  [
    ['-e', '-f'],
    ['USER', 'PID', 'PPID', '%CPU', 'STIME', 'TTY', 'TIME', 'COMMAND'],
  ],
  [
    ['-eo', 'user,pid,comm'],
    ['USER', 'PID', 'COMMAND'],
  ],
  [
    ['-o', 'pid', '-o', 'args'],
    ['PID', 'COMMAND'],
  ],
])('ps(1) words %j choose columns', (words, headers) => {
  expect(topColumns(words).map(({ header }) => header)).toEqual(headers);
});

test.each([['foo'], ['constructor'], ['-Z'], ['pid,foo']])('%s is refused', (word) => {
  expect(() => topColumns([word])).toThrow(/unknown descriptor/);
});
