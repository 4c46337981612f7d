import { describe, expect, test } from 'vitest';
import { asId, type ContainerId, type PodId } from '../../core/id.ts';
import { cgroupFiles, sliceProperties } from '../../libpod/pod/limits.ts';
import { startRounds } from '../../libpod/pod/order.ts';
import { infraProgram } from '../../libpod/program/infra.ts';
import { initProgram } from '../../libpod/program/init.ts';
import { podStatus } from '../../libpod/pod/status.ts';
import type { ContainerRecord } from '../../libpod/state/containers.ts';

const id = (letter: string) => asId<ContainerId>(letter.repeat(64));

describe('the order of starts', () => {
  const one = (letter: string, ...needs: readonly string[]) => ({ id: id(letter), name: `name-${letter}`, needs: needs.map(id) });

  test('each comes after what it needs, and what is not there does not count', () => {
    const rounds = startRounds([one('a', 'b', 'c'), one('b', 'c'), one('c', 'f'), one('d')]);
    expect(rounds.map((round) => round.map(({ name }) => name))).toEqual([['name-c', 'name-d'], ['name-b'], ['name-a']]);
    expect(startRounds([])).toEqual([]);
  });

  test('a cycle is named', () => {
    const chain = [one('a', 'b'), one('b', 'c'), one('c', 'd'), one('d', 'b')];
    expect(() => startRounds(chain)).toThrow(
      'the containers name-b → name-c → name-d → name-b need one another, so none of them can be the first',
    );
    expect(() => startRounds([one('a', 'a')])).toThrow('the containers name-a → name-a need one another');
  });
});

test.each([
  [[], 'Created'],
  [['configured', 'configured'], 'Created'],
  [['running', 'running'], 'Running'],
  [['running', 'exited'], 'Degraded'],
  [['running', 'paused'], 'Degraded'],
  [['paused', 'paused'], 'Paused'],
  [['exited', 'exited'], 'Exited'],
  [['exited', 'configured'], 'Stopped'],
  [['exited', 'stopping'], 'Error'],
] as const)('a pod of %j is %s', (statuses, expected) => {
  const members = statuses.map((status) => ({ status, config: {} }) as ContainerRecord);
  expect(podStatus(members)).toBe(expected);
});

test('init containers do not count', () => {
  const pod = { id: asId<PodId>('a'.repeat(64)), name: 'p' };
  const members = [
    { status: 'running', config: { pod } },
    { status: 'exited', config: { pod: { ...pod, init: 'always' } } },
  ] as unknown as ContainerRecord[];
  expect(podStatus(members)).toBe('Running');
});

test.each([
  ['x64', 62],
  ['arm64', 183],
])('the programs of infra containers and of --init are static executables for %s', (architecture, machine) => {
  for (const program of [infraProgram(architecture), initProgram(architecture)!]) {
    expect(program.subarray(0, 7)).toEqual(Buffer.from('\x7fELF\x02\x01\x01', 'latin1'));
    expect(program.readUInt16LE(18)).toBe(machine);
    // All of it is loaded, and it begins behind the headers.
    expect(program.readBigUInt64LE(64 + 32)).toBe(BigInt(program.length));
    expect(program.readBigUInt64LE(24) - program.readBigUInt64LE(64 + 16)).toBe(120n);
    expect(program.length).toBeLessThan(1000);
  }
});

test('other machines are told what to do', () => {
  expect(() => infraProgram('riscv64')).toThrow('there is no infra container for riscv64');
  expect(initProgram('riscv64')).toBeUndefined();
});

test('limits of a pod are files of its cgroup, or properties of its slice', () => {
  const device = { major: 8, minor: 0 };
  const limits = {
    memory: { limit: 100, swap: 300 },
    cpu: { shares: 1024, quota: 50_000, cpus: '0-1', mems: '0' },
    blockIO: {
      weight: 200,
      weightDevice: [{ ...device, weight: 300 }],
      throttleReadBpsDevice: [{ ...device, rate: 1 }],
      throttleWriteBpsDevice: [{ ...device, rate: 2 }],
    },
  };
  expect(cgroupFiles(limits)).toEqual({
    'memory.max': '100',
    'memory.swap.max': '200',
    'cpu.max': '50000 100000',
    'cpu.weight': '39',
    'cpuset.cpus': '0-1',
    'cpuset.mems': '0',
    'io.weight': 'default 200\n8:0 300',
    'io.max': '8:0 rbps=1\n8:0 wbps=2',
  });
  expect(sliceProperties(limits)).toEqual([
    'MemoryMax=100',
    'MemorySwapMax=200',
    'CPUQuota=50%',
    'CPUWeight=39',
    'AllowedCPUs=0-1',
    'AllowedMemoryNodes=0',
    'IOWeight=200',
    'IODeviceWeight=/dev/block/8:0 300',
    'IOReadBandwidthMax=/dev/block/8:0 1',
    'IOWriteBandwidthMax=/dev/block/8:0 2',
  ]);
  expect(cgroupFiles({ memory: { swap: -1 } })).toEqual({ 'memory.swap.max': 'max' });
  expect(sliceProperties({ memory: { swap: -1 } })).toEqual(['MemorySwapMax=infinity']);
  expect(cgroupFiles({})).toEqual({});
});
