/** What a container uses, read from its cgroup (cgroup v2, as far as controllers are delegated) and its network namespace. */
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CGROUP_ROOT, ownCgroup } from '../../host/cgroup.ts';
import type { ContainerRecord } from '../state/containers.ts';

export interface ContainerStats {
  readonly id: string;
  readonly name: string;
  readonly cpuNanos: bigint;
  readonly cpuSystemMicros: number;
  /** When it was read, since 1970. */
  readonly systemNanos: bigint;
  /** Of one CPU, since the last look. */
  readonly cpuPercent: number;
  /** Since the start. */
  readonly averageCpuPercent: number;
  readonly memoryBytes: number;
  readonly memoryLimitBytes: number;
  readonly network: ReadonlyMap<string, InterfaceCounters>;
  readonly blockReadBytes: number;
  readonly blockWrittenBytes: number;
  readonly pids: number;
}

export interface InterfaceCounters {
  readonly rxBytes: number;
  readonly rxPackets: number;
  readonly rxErrors: number;
  readonly rxDropped: number;
  readonly txBytes: number;
  readonly txPackets: number;
  readonly txErrors: number;
  readonly txDropped: number;
}

/** Everything is 0 for a container that does not run, and each number whose controller is missing. `before`: the last look at the same container. */
export function containerStats(record: ContainerRecord, before?: ContainerStats): ContainerStats {
  const { process, startedMs = 0 } = record;
  const nothing = emptyStats(record);
  if (!process || (record.status !== 'running' && record.status !== 'paused')) return nothing;
  try {
    const directory = join(CGROUP_ROOT, ownCgroup(process.pid));
    const cpu = keyed(read(directory, 'cpu.stat'));
    const cpuNanos = BigInt(cpu.get('usage_usec') ?? 0) * 1000n;
    const systemNanos = BigInt(Date.now()) * 1_000_000n;
    const startNanos = BigInt(startedMs) * 1_000_000n;
    const limit = Number(read(directory, 'memory.max'));
    const physical = physicalMemory();
    const io = blockBytes(read(directory, 'io.stat'));
    return {
      ...nothing,
      cpuNanos,
      cpuSystemMicros: cpu.get('system_usec') ?? 0,
      systemNanos,
      cpuPercent: percent(cpuNanos - (before?.cpuNanos ?? 0n), systemNanos - (before?.systemNanos || startNanos)),
      averageCpuPercent: percent(cpuNanos, systemNanos - startNanos),
      memoryBytes: Number(read(directory, 'memory.current')) || 0,
      memoryLimitBytes: limit > 0 && limit < physical ? limit : physical,
      network: record.config.network.mode.kind === 'host' ? new Map() : interfaces(process.pid),
      blockReadBytes: io.read,
      blockWrittenBytes: io.written,
      pids: Number(read(directory, 'pids.current')) || 0,
    };
  } catch {
    // It ended while we looked.
    return nothing;
  }
}

function emptyStats({ id, name }: ContainerRecord): ContainerStats {
  return {
    id,
    name,
    cpuNanos: 0n,
    cpuSystemMicros: 0,
    systemNanos: 0n,
    cpuPercent: 0,
    averageCpuPercent: 0,
    memoryBytes: 0,
    memoryLimitBytes: 0,
    network: new Map(),
    blockReadBytes: 0,
    blockWrittenBytes: 0,
    pids: 0,
  };
}

function percent(part: bigint, whole: bigint): number {
  return part > 0n && whole > 0n ? (Number(part) / Number(whole)) * 100 : 0;
}

/** Empty for a file that is not there: its controller is not enabled. */
function read(directory: string, name: string): string {
  const path = join(directory, name);
  return statSync(path, { throwIfNoEntry: false }) === undefined ? '' : readFileSync(path, 'latin1').trim();
}

function keyed(text: string): ReadonlyMap<string, number> {
  return new Map(
    text
      .split('\n')
      .map((line) => line.split(' '))
      .map(([key = '', value]) => [key, Number(value)]),
  );
}

/** io.stat: a line per device, `8:0 rbytes=1 wbytes=2 …`. */
function blockBytes(text: string): { readonly read: number; readonly written: number } {
  const sum = (key: string): number =>
    [...text.matchAll(new RegExp(`\\b${key}=(\\d+)`, 'g'))].reduce((total, match) => total + Number(match[1]), 0);
  return { read: sum('rbytes'), written: sum('wbytes') };
}

function physicalMemory(): number {
  return Number(/^MemTotal:\s+(\d+) kB/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? 0) * 1024;
}

/** proc(5), /proc/PID/net/dev: of the process's own network namespace. Loopback does not count. */
function interfaces(pid: number): ReadonlyMap<string, InterfaceCounters> {
  const found = new Map<string, InterfaceCounters>();
  for (const line of readFileSync(`/proc/${pid}/net/dev`, 'latin1').split('\n').slice(2)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).trim();
    if (colon === -1 || name === 'lo') continue;
    const numbers = line
      .slice(colon + 1)
      .trim()
      .split(/\s+/)
      .map(Number);
    const [rxBytes = 0, rxPackets = 0, rxErrors = 0, rxDropped = 0] = numbers;
    const [txBytes = 0, txPackets = 0, txErrors = 0, txDropped = 0] = numbers.slice(8);
    found.set(name, { rxBytes, rxPackets, rxErrors, rxDropped, txBytes, txPackets, txErrors, txDropped });
  }
  return found;
}
