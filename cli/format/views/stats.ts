/** The rows of `stats`. */
import { shortId } from '../../../core/id.ts';
import { humanSize } from '../../../core/size.ts';
import { formatDuration } from '../../../core/duration.ts';
import type { ContainerStats } from '../../../libpod/container/stats.ts';
import { encodeJson } from '../json.ts';
import type { View } from '../report.ts';
import { GoFloat, GoStruct } from '../template/value.ts';

export const STATS_COLUMNS = ['ID', 'Name', 'CPUPerc', 'MemUsage', 'MemPerc', 'NetIO', 'BlockIO', 'PIDS', 'UpTime', 'AVGCPU'] as const;

export function statsView({ noTrunc }: { readonly noTrunc: boolean }): View<ContainerStats> {
  const cells = shownCells(noTrunc);
  return {
    name: 'stats',
    headers: {
      ID: 'ID',
      Name: 'NAME',
      CPUPerc: 'CPU %',
      MemUsage: 'MEM USAGE / LIMIT',
      MemUsageBytes: 'MEM USAGE / LIMIT',
      MemPerc: 'MEM %',
      NetIO: 'NET IO',
      BlockIO: 'BLOCK IO',
      PIDS: 'PIDS',
      UpTime: 'CPU TIME',
      AVGCPU: 'AVG CPU %',
    },
    cells,
    data: (row) => {
      const shown = Object.fromEntries(Object.entries(cells).map(([field, cell]) => [field, cell(row)]));
      return new GoStruct('containers.containerStats', { ...rawFields(row), ...shown }, { json: rawFields(row) });
    },
  };
}

/** `stats --format json`. */
export function statsJson(rows: readonly ContainerStats[], noTrunc: boolean): string {
  const cells = shownCells(noTrunc);
  const document = (row: ContainerStats): Record<string, string> => ({
    id: cells['ID']!(row),
    name: row.name,
    cpu_time: cells['UpTime']!(row),
    cpu_percent: cells['CPUPerc']!(row),
    avg_cpu: cells['AVGCPU']!(row),
    mem_usage: cells['MemUsage']!(row),
    mem_percent: cells['MemPerc']!(row),
    net_io: cells['NetIO']!(row),
    block_io: cells['BlockIO']!(row),
    pids: cells['PIDS']!(row),
  });
  return `${encodeJson(rows.map(document), { indent: ' ', escapeHtml: true, loose: false })}\n`;
}

function shownCells(noTrunc: boolean): Readonly<Record<string, (row: ContainerStats) => string>> {
  return {
    ID: ({ id }) => (noTrunc ? id : shortId(id)),
    Name: ({ name }) => name,
    CPUPerc: ({ cpuPercent }) => percent(cpuPercent),
    MemUsage: ({ memoryBytes, memoryLimitBytes }) => `${size(memoryBytes)} / ${size(memoryLimitBytes)}`,
    MemUsageBytes: ({ memoryBytes, memoryLimitBytes }) => `${binarySize(memoryBytes)} / ${binarySize(memoryLimitBytes)}`,
    MemPerc: (row) => percent(memoryPercent(row)),
    NetIO: (row) => `${size(total(row, 'rxBytes'))} / ${size(total(row, 'txBytes'))}`,
    BlockIO: ({ blockReadBytes, blockWrittenBytes }) => `${size(blockReadBytes)} / ${size(blockWrittenBytes)}`,
    PIDS: ({ pids }) => String(pids),
    UpTime: ({ cpuNanos }) => formatDuration(Number(cpuNanos / 1000n) / 1000),
    Up: ({ cpuNanos }) => formatDuration(Number(cpuNanos / 1000n) / 1000),
    AVGCPU: ({ averageCpuPercent }) => percent(averageCpuPercent),
  };
}

function rawFields(row: ContainerStats): Record<string, unknown> {
  return {
    AvgCPU: new GoFloat(row.averageCpuPercent),
    ContainerID: row.id,
    Name: row.name,
    PerCPU: null,
    CPU: new GoFloat(row.cpuPercent),
    CPUNano: row.cpuNanos,
    CPUSystemNano: row.cpuSystemMicros,
    SystemNano: row.systemNanos,
    MemUsage: row.memoryBytes,
    MemLimit: row.memoryLimitBytes,
    MemPerc: new GoFloat(memoryPercent(row)),
    Network: new Map([...row.network].map(([name, counters]) => [name, capitalised(counters)])),
    BlockInput: row.blockReadBytes,
    BlockOutput: row.blockWrittenBytes,
    PIDs: row.pids,
    UpTime: row.cpuNanos,
    Duration: row.cpuNanos,
  };
}

/** Go sorts the keys of what it writes here: RxBytes, RxDropped, RxErrors … */
function capitalised(counters: object): Record<string, number> {
  const entries = Object.entries(counters).map(([key, value]): [string, number] => [key[0]!.toUpperCase() + key.slice(1), value as number]);
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function total(row: ContainerStats, key: 'rxBytes' | 'txBytes'): number {
  return [...row.network.values()].reduce((sum, counters) => sum + counters[key], 0);
}

function memoryPercent({ memoryBytes, memoryLimitBytes }: ContainerStats): number {
  return memoryLimitBytes > 0 ? (memoryBytes / memoryLimitBytes) * 100 : 0;
}

function percent(value: number): string {
  return `${value.toFixed(2)}%`;
}

function size(bytes: number): string {
  return humanSize(bytes, 4);
}

const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** docker/go-units BytesSize: four digits, binary units. */
function binarySize(bytes: number): string {
  const unit = bytes === 0 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), BINARY_UNITS.length - 1);
  return `${Number((bytes / 1024 ** unit).toPrecision(4))}${BINARY_UNITS[unit]}`;
}
