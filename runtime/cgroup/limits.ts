/** Limits (config-linux.md#control-groups) as what cgroup v2 files take. Pure. */
import type { BlockIo, Resources, Throttle } from '../config.ts';

export interface LimitWrite {
  readonly file: string;
  readonly value: string;
  /** Written one after another where the first name is not there. */
  readonly elsewise?: LimitWrite;
}

/** In the order in which they are written. */
export function limitWrites(resources: Resources): readonly LimitWrite[] {
  const { memory, cpu, pids, blockIO, hugepageLimits = [], unified = {} } = resources;
  return [
    ...memoryWrites(memory),
    ...cpuWrites(cpu),
    ...(pids?.limit === undefined ? [] : [{ file: 'pids.max', value: pids.limit > 0 ? String(pids.limit) : 'max' }]),
    ...blockWrites(blockIO),
    ...hugepageLimits.map(({ pageSize, limit }) => ({ file: `hugetlb.${pageSize}.max`, value: String(limit) })),
    ...Object.entries(unified).map(([file, value]) => ({ file, value })),
  ];
}

/** Memory with swap, as cgroup v1 counts it and the configuration does, is swap alone in v2. */
function memoryWrites(memory: Resources['memory']): LimitWrite[] {
  const { limit, reservation, swap } = memory ?? {};
  const swapAlone = swap === undefined || swap === 0 ? undefined : swap < 0 ? -1 : limit !== undefined && limit > 0 ? swap - limit : swap;
  return [
    ...present('memory.swap.max', swapAlone, bytes),
    ...present('memory.max', limit === 0 ? undefined : limit, bytes),
    ...present('memory.low', reservation === 0 ? undefined : reservation, bytes),
  ];
}

function cpuWrites(cpu: Resources['cpu']): LimitWrite[] {
  const { shares, quota, period, burst, cpus, mems, idle } = cpu ?? {};
  const time =
    quota !== undefined || period !== undefined ? `${quota !== undefined && quota > 0 ? quota : 'max'} ${period || 100_000}` : undefined;
  return [
    ...present('cpu.weight', shares === 0 ? undefined : shares, (value) => String(weightOf(value))),
    ...present('cpu.max', time, String),
    ...present('cpu.max.burst', burst, String),
    ...present('cpu.idle', idle, String),
    ...present('cpuset.cpus', cpus || undefined, String),
    ...present('cpuset.mems', mems || undefined, String),
  ];
}

/** From 2…262144 to 1…10000. */
function weightOf(shares: number): number {
  return Math.floor(1 + ((Math.min(Math.max(shares, 2), 262_144) - 2) * 9999) / 262_142);
}

function blockWrites(block: BlockIo | undefined): LimitWrite[] {
  if (block === undefined) return [];
  const weight = (value: number): number => Math.floor(1 + ((value - 10) * 9999) / 990);
  const limits = (throttles: readonly Throttle[] | undefined, key: string): LimitWrite[] =>
    (throttles ?? []).map(({ major, minor, rate }) => ({ file: 'io.max', value: `${major}:${minor} ${key}=${rate}` }));
  return [
    ...(block.weight
      ? [{ file: 'io.bfq.weight', value: String(block.weight), elsewise: { file: 'io.weight', value: String(weight(block.weight)) } }]
      : []),
    ...(block.weightDevice ?? []).flatMap(({ major, minor, weight: own }) =>
      own === undefined ? [] : [{ file: 'io.bfq.weight', value: `${major}:${minor} ${own}` }],
    ),
    ...limits(block.throttleReadBpsDevice, 'rbps'),
    ...limits(block.throttleWriteBpsDevice, 'wbps'),
    ...limits(block.throttleReadIOPSDevice, 'riops'),
    ...limits(block.throttleWriteIOPSDevice, 'wiops'),
  ];
}

function present<T>(file: string, value: T | undefined, format: (value: T) => string): LimitWrite[] {
  return value === undefined ? [] : [{ file, value: format(value) }];
}

function bytes(value: number): string {
  return value < 0 ? 'max' : String(value);
}
